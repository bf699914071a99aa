import { ec2Contract } from "./ec2.contract.ts";
import { moto, standIn } from "./endpoint.ts";

ec2Contract(standIn);
ec2Contract(
  moto({
    "a start sets a new launch time": "moto keeps the first one",
    "stopping what is stopped, and starting what runs, changes nothing":
      "moto says pending for an instance that runs",
    "a terminated instance neither starts nor stops": "moto starts it again",
    "unknown and malformed ids have errors of their own": "moto doesn't look at the form of an id",
    "termination protection guards against TerminateInstances": "moto knows it only where the image says so",
  }),
);
