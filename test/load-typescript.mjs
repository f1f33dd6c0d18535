// The loader of tests and benchmarks. Tailtune's processes find a cache of their own in the tests (XDG_CACHE_HOME), but
// share the compiled code: compiling it takes a process two seconds.
import { fileURLToPath } from "node:url";

process.env.XDG_RUNTIME_DIR = fileURLToPath(new URL("../node_modules/.cache", import.meta.url));
await import("../shared/load-typescript.mjs");
