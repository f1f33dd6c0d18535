import { TailtuneError } from "../../shared/errors.ts";
import { MOST_SECRET_BYTES, readRegularFile } from "../../shared/files/regular-file.ts";
import type { TokenRule } from "../../shared/rpc/authorization.ts";
import { CLASSIFIER } from "./service.ts";

/** The path of the metrics, as token rules see it. */
export const METRICS_PATH = "/metrics";

const isClassify = (path: string) => path.startsWith(`/${CLASSIFIER}/Classify`);

/** The paths that a scope after a token permits. */
const MAY: Readonly<Record<string, TokenRule["may"]>> = {
	"": () => true,
	classify: (path) => path !== METRICS_PATH,
	monitor: (path) => !isClassify(path),
};

/**
 * Reads bearer tokens, one per line. A word after a token limits it: `classify` permits to classify texts and to read
 * the model's description, `monitor` to read that and the metrics. Empty lines and lines that begin with # are ignored.
 * @throws TailtuneError "denied" if the file can't be read or a line is no token
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
			// The line may contain a secret, so the message doesn't show it.
			throw new TailtuneError(
				"denied",
				`${file}: line ${index + 1}: expected an ASCII token, then classify, monitor or nothing`,
			);
		});
	if (rules.length > 0) return rules;
	throw new TailtuneError("denied", `${file}: found no token, expected one per line`);
}
