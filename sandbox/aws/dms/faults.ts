import { AwsError } from "../service.ts";

export function notFound(message: string): AwsError {
  return new AwsError("ResourceNotFoundFault", message);
}

export function alreadyExists(message: string): AwsError {
  return new AwsError("ResourceAlreadyExistsFault", message);
}

export function invalidState(message: string): AwsError {
  return new AwsError("InvalidResourceStateFault", message);
}

export function invalidValue(message: string): AwsError {
  return new AwsError("InvalidParameterValueException", message);
}

export function invalidCombination(message: string): AwsError {
  return new AwsError("InvalidParameterCombinationException", message);
}
