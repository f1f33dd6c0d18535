// Sets the temporary folder in the thread in which Node has tsx compile; see load-typescript.mjs.
import os from "node:os";

/** @param {string} folder */
export function initialize(folder) {
	Object.assign(os, { tmpdir: () => folder });
}
