import { debuglog } from "node:util";

const log = debuglog("tailtune");

/**
 * Calls functions of the system's libraries. Undefined on a platform for which the package has no native library; all
 * code that uses it works without.
 */
export const koffi = await import("koffi").then(
	(module) => module.default,
	(error: unknown) => {
		log("koffi can't be loaded: %s", error);
		return undefined;
	},
);
