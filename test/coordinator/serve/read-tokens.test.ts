import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { METRICS_PATH, readTokens } from "../../../coordinator/serve/read-tokens.ts";
import { refusalOf } from "../../../shared/rpc/authorization.ts";
import { newFolder } from "../../new-folder.ts";

const CLASSIFY = "/tailtune.v1.Classifier/Classify";
const GET_MODEL = "/tailtune.v1.Classifier/GetModel";

async function save(content: string): Promise<string> {
	const file = join(await newFolder(), "tokens");
	await writeFile(file, content);
	return file;
}

test("a token allows only the requests of the word after it, and all requests without a word", async (t) => {
	const rules = await readTokens(await save("# ours\nall\n\nfor-texts classify\nfor-probes\tmonitor\r\n"));
	const reason = (token: string, path: string) => refusalOf(`Bearer ${token}`, path, rules)?.reason;
	for (const path of [CLASSIFY, GET_MODEL, METRICS_PATH]) t.is(reason("all", path), undefined);
	t.is(reason("for-texts", CLASSIFY), undefined);
	t.is(reason("for-texts", METRICS_PATH), "REFUSAL_PERMISSION");
	t.is(reason("for-probes", CLASSIFY), "REFUSAL_PERMISSION");
	t.is(reason("for-probes", METRICS_PATH), undefined);
	t.is(reason("for-probes", GET_MODEL), undefined);
	t.is(reason("other", CLASSIFY), "REFUSAL_TOKEN");
	t.is(refusalOf(undefined, CLASSIFY, rules)?.reason, "REFUSAL_TOKEN");
});

test("a file without tokens is refused without showing its content", async (t) => {
	await t.throwsAsync(readTokens(await save("# nothing\n")), { code: "denied", message: /found no token/ });
	for (const line of ["secret everything", "secret classify monitor", "sécret"]) {
		const error = await t.throwsAsync(readTokens(await save(`fine\n${line}`)), { code: "denied", message: /line 2/ });
		t.notRegex(error?.message ?? "", /s.cret/);
	}
	await t.throwsAsync(readTokens("/nowhere/tokens"), {
		code: "not-found",
		message: "/nowhere/tokens: no such file or folder",
	});
});
