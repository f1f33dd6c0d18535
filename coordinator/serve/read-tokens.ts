import { TailtuneError } from "../../shared/errors.ts";
import { MOST_SECRET_BYTES, readRegularFile } from "../../shared/files/regular-file.ts";
import type { TokenRule } from "../../shared/rpc/authorization.ts";
import { CLASSIFIER } from "./service.ts";

/** Where `/metrics` stands among the paths of calls. */
export const METRICS_PATH = "/metrics";

const isClassify = (path: string) => path.startsWith(`/${CLASSIFIER}/Classify`);

/** What a word after a token lets its bearer do. */
const MAY: Readonly<Record<string, TokenRule["may"]>> = {
	"": () => true,
	classify: (path) => path !== METRICS_PATH,
	monitor: (path) => !isClassify(path),
};

/**
 * Reads bearer tokens: one a line, and after it, where it isn't for everything, `classify` (texts and what is served) or
 * `monitor` (what is served, and metrics). Empty lines and those that begin with # don't count.
 * @throws TailtuneError "denied" where the file can't be read or a line is no token
 */
export async function readTokens(file: string): Promise<TokenRule[]> {
	const bytes = await readRegularFile(file, MOST_SECRET_BYTES, "denied");
	const rules = bytes
		.toString("utf8")
		.split(/\r?\n/)
		.flatMap((line, index) => {
			const [token = "", scope = "", ...more] = line.trim().split(/\s+/);
			if (token === "" || token.startsWith("#")) return [];
			const may = Object.hasOwn(MAY, scope) ? MAY[scope] : undefined;
			if (may && more.length === 0 && /^[\x21-\x7e]+$/.test(token)) return [{ token, may }];
			// The line may be a secret: it isn't shown.
			throw new TailtuneError(
				"denied",
				`${file}: line ${index + 1}: expected an ASCII token, then classify, monitor or nothing`,
			);
		});
	if (rules.length > 0) return rules;
	throw new TailtuneError("denied", `${file}: found no token, expected one a line`);
}
