import { conformance } from "./conformance.ts";
import { bootStandIn } from "./stand-in-machine.ts";

conformance("host stand-in does what systemd does", bootStandIn);
