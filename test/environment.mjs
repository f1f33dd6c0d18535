// Tailtune's processes find a cache of their own in the tests (XDG_CACHE_HOME), but share the compiled program (see
// test/cli/tailtune.ts).
import { fileURLToPath } from "node:url";

process.env.XDG_RUNTIME_DIR = fileURLToPath(new URL("../node_modules/.cache", import.meta.url));
