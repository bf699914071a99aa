/** go-plugin's handshake and the gRPC server behind it. */
import { writeSync } from "node:fs";
import { join } from "node:path";
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const cookie = {
  name: "TF_PLUGIN_MAGIC_COOKIE",
  value: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
};

export type Handler = (request: never) => Promise<object> | object;

function serviceOf(file: string, path: readonly [string, string]): ServiceDefinition {
  const definition = loadSync(join(import.meta.dirname, file), {
    keepCase: true,
    enums: String,
    longs: Number,
    bytes: Buffer,
    defaults: true,
    oneofs: true,
  });
  const found = loadPackageDefinition(definition)[path[0]] as unknown as Record<
    string,
    { service: ServiceDefinition }
  >;
  return found[path[1]]!.service;
}

function asCall(handler: Handler): UntypedHandleCall {
  const call = (
    { request }: { request: never },
    done: (error: Error | null, response?: object) => void,
  ): void => {
    Promise.resolve()
      .then(() => handler(request))
      .then(
        (response) => done(null, response),
        (error: Error) => done(error),
      );
  };
  return call as unknown as UntypedHandleCall;
}

/**
 * Serves one provider to the Terraform that started this process, until Terraform says Shutdown.
 * @param handlers the protocol's calls by name
 */
export async function serve(handlers: Readonly<Record<string, Handler>>): Promise<void> {
  if (process.env[cookie.name] !== cookie.value)
    throw new Error("this program is a Terraform provider: terraform starts it, people don't");
  if (process.env.PLUGIN_CLIENT_CERT)
    throw new Error(
      "the stand-in providers speak without TLS, on loopback: set TF_DISABLE_PLUGIN_TLS=1 (sandbox/up/terraform.ts does)",
    );
  const server = new Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  server.addService(
    serviceOf("tfplugin6.proto", ["tfplugin6", "Provider"]),
    Object.fromEntries(Object.entries(handlers).map(([name, handler]) => [name, asCall(handler)])),
  );
  server.addService(serviceOf("plugin.proto", ["plugin", "GRPCController"]), {
    Shutdown: asCall(() => {
      // After the answer is out: Terraform waits two seconds for a plugin that doesn't end.
      setTimeout(() => process.exit(0), 5);
      return {};
    }),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  // The one line go-plugin reads: its own version, the protocol's, where, and how.
  writeSync(1, `1|6|tcp|127.0.0.1:${port}|grpc\n`);
  endWithParent();
}

/** A Terraform that was killed sends no Shutdown: its providers must not stay. */
function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(0);
  }, 1000).unref();
}
