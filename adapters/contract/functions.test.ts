import { standIn } from "./endpoint.ts";
import { functionsContract } from "./functions.contract.ts";

// moto runs functions in Docker only: this suite has the stand-in alone.
functionsContract(standIn);
