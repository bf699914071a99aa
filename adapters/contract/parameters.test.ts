import { moto, standIn } from "./endpoint.ts";
import { parametersContract } from "./parameters.contract.ts";

parametersContract(standIn);
parametersContract(
  moto({
    "4 KB fit the standard tier, 8 KB the advanced one, more fits none":
      "moto checks no sizes and changes no tier",
    "a value that misses AllowedPattern is refused": "moto keeps the pattern without checking it",
  }),
);
