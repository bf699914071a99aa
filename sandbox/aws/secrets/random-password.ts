import { randomInt } from "node:crypto";
import { flag, type Input, optionalNumber, optionalText } from "../input.ts";
import { AwsError } from "../service.ts";

const classes = [
  ["ExcludeLowercase", "abcdefghijklmnopqrstuvwxyz"],
  ["ExcludeUppercase", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"],
  ["ExcludeNumbers", "0123456789"],
  ["ExcludePunctuation", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"],
] as const;

/** GetRandomPassword: by default 32 characters with each class in it at least once. */
export function randomPassword(input: Input): { RandomPassword: string } {
  const length = optionalNumber(input, "PasswordLength") ?? 32;
  if (length < 1 || length > 4096)
    throw new AwsError("InvalidParameterException", "PasswordLength must be between 1 and 4096");
  const excluded = new Set(optionalText(input, "ExcludeCharacters") ?? "");
  const used = classes
    .filter(([name]) => !flag(input, name))
    .map(([, characters]) => [...characters].filter((character) => !excluded.has(character)))
    .filter((characters) => characters.length > 0);
  if (flag(input, "IncludeSpace")) used.push([" "]);
  const all = used.flat();
  const each = input.RequireEachIncludedType !== false;
  if (all.length === 0 || (each && length < used.length)) {
    throw new AwsError(
      "InvalidParameterException",
      "no password can be made with these exclusions and this length",
    );
  }
  const pick = (characters: readonly string[]) => characters[randomInt(characters.length)]!;
  const password = Array.from({ length }, (_, index) =>
    pick(each && index < used.length ? used[index]! : all),
  );
  for (let index = password.length - 1; index > 0; index -= 1) {
    const other = randomInt(index + 1);
    [password[index], password[other]] = [password[other]!, password[index]!];
  }
  return { RandomPassword: password.join("") };
}
