/**
 * `roundtrip …` on a leash: it ends when standard input closes, that is when the drill is gone, however it went.
 * The command itself knows nothing of it.
 */
process.stdin.on("end", () => process.exit(137));
process.stdin.resume();
await import("../roundtrip.ts");

export {};
