/** Loaded before every test file (bunfig.toml): what must happen after the last one. `bun test` emits no "exit". */
import { afterAll } from "bun:test";
import { removeTemporaryFolders } from "./temporary-folder.ts";

afterAll(removeTemporaryFolders);
