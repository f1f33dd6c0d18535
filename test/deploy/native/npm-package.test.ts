import { readFile } from "node:fs/promises";
import test from "ava";
import { nameOf, unknownPackages } from "../../../deploy/native/npm-package.ts";
import { NODE_API_HEADERS, RECIPES, TFJS_VERSION, WEBGPU_PACKAGES } from "../../../deploy/native/wheels.ts";

const pinned = JSON.parse(await readFile("deploy/native/npm-packages.json", "utf8"));
const packages = { "node_modules/a": { version: "1.0.0", integrity: "sha512-a" } };

test("a package that is neither in the lock file nor pinned by its checksum is unknown", (t) => {
	const added = {
		"node_modules/b": { version: "2.0.0", integrity: "sha512-b" },
		"node_modules/b/node_modules/@scope/c": { version: "3.0.0", integrity: "sha512-c" },
	};
	const installed = { packages: { ...packages, ...added } };
	const known = { "b@2.0.0": "sha512-b", "@scope/c@3.0.0": "sha512-c" };
	t.deepEqual(unknownPackages(installed, { packages }, known), []);
	t.deepEqual(unknownPackages(installed, { packages }, { ...known, "b@2.0.0": "sha512-other" }), ["b@2.0.0"]);
	t.deepEqual(unknownPackages(installed, { packages }, { "b@2.0.0": "sha512-b" }), ["@scope/c@3.0.0"]);
	t.deepEqual(unknownPackages(installed, { packages: {} }, known), ["a@1.0.0"]);
	const without = { packages: { "node_modules/d": { version: "1.0.0" } } };
	t.deepEqual(unknownPackages(without, without, {}), ["d@1.0.0"], "a package without a checksum is unknown");
});

test("every package that the command installs is pinned, and every checksum is a sha512", (t) => {
	const native = Object.values(RECIPES).map(({ package: name }) => `${name}@${TFJS_VERSION}`);
	for (const name of [...native, NODE_API_HEADERS, ...WEBGPU_PACKAGES]) t.true(Object.hasOwn(pinned, name), name);
	for (const [name, checksum] of Object.entries(pinned)) {
		t.regex(String(checksum), /^sha512-[\w+/]{86}==$/, name);
		t.not(nameOf(name), name);
	}
});
