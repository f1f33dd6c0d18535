/** A model of the hub. */
export interface HubId {
	/** For example "openai-community/gpt2", or a short id such as "gpt2", which the hub redirects. */
	readonly repo: string;
	/** Branch, tag or commit; default "main". */
	readonly revision: string;
}

/**
 * Reads `owner/name`, a short id or one of both with `@revision`; undefined if the text isn't a hub id, or is `demo`,
 * the bundled model.
 */
export function parseHubId(name: string): HubId | undefined {
	if (name === "demo") return undefined;
	const [, repo, revision = "main"] = /^((?:[\w-][\w.-]*\/)?[\w-][\w.-]*)(?:@(\w[\w./-]*))?$/.exec(name) ?? [];
	if (repo === undefined || /(^|\/)\.\.?(\/|$)|\/$|\/\//.test(revision)) return undefined;
	return { repo, revision };
}
