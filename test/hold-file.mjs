// To be preloaded (--import): a file whose name ends in HELD_FILE is never opened, and standard error says that it was
// to be.
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const { open } = promises;

promises.open = (path, ...flags) => {
	if (!String(path).endsWith(String(process.env.HELD_FILE))) return open(path, ...flags);
	process.stderr.write("held\n");
	setInterval(() => {}, 1e6);
	return new Promise(() => {});
};
syncBuiltinESMExports();
