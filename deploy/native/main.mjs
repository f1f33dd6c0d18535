// npm run native: its TypeScript is compiled when it is first used, as the command's is.
import { loadProgram } from "../../shared/compile/load-program.mjs";

await loadProgram(import.meta.resolve("./main.ts"));
