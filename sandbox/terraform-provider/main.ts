/** The stand-in providers: one program, told which one it is by its first parameter. */
import { Handlers } from "./plugin/handlers.ts";
import { serve } from "./plugin/serve.ts";
import { type Provider, type ProviderName, providerNames } from "./provider.ts";

async function load(name: ProviderName): Promise<Provider> {
  if (name === "aws") return (await import("./aws/provider.ts")).awsProvider();
  return (await import("./utility/provider.ts")).utilityProvider(name);
}

const name = providerNames.find((each) => each === process.argv[2]);
if (!name) {
  console.error(`usage: bun sandbox/terraform-provider/main.ts ${providerNames.join("|")}`);
  process.exit(64);
}
try {
  await serve(new Handlers(await load(name)).all());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
