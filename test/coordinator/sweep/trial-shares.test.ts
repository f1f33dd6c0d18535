import test from "ava";
import { type TrialNeeds, type TrialShare, TrialShares } from "../../../coordinator/sweep/trial-shares.ts";

const MACHINE = { cores: 8, bytes: 100, most: 8 };

/** Trials by name, and the shares that they have got so far. */
function setUp(machine = MACHINE) {
	const shares = new TrialShares(machine);
	const trials = new Map<string, object>();
	const got: Record<string, TrialShare> = {};
	const enter = (name: string, needs: Partial<TrialNeeds>, left = 10) => {
		const trial = { name };
		trials.set(name, trial);
		const all = { bytes: 10, threads: undefined, features: undefined, ...needs };
		shares.enter(trial, all, left, (share) => {
			got[name] = share;
		});
	};
	const of = (name: string) => trials.get(name) ?? {};
	const finishFeatures = (name: string) => shares.finishFeatures(of(name));
	return { enter, finishFeatures, leave: (name: string) => shares.leave(of(name)), got };
}

test("cores are divided among the trials that fit into the memory and are left", (t) => {
	const { enter, got } = setUp();
	enter("small", { bytes: 1 });
	enter("half", { bytes: 40 });
	enter("last", { bytes: 1 }, 3);
	enter("given", { bytes: 1, threads: 3 });
	t.deepEqual(got, {
		small: { atOnce: 8, threads: 1, trunkThreads: 1 },
		half: { atOnce: 2, threads: 4, trunkThreads: 4 },
		last: { atOnce: 3, threads: 2, trunkThreads: 2 },
		given: { atOnce: 8, threads: 3, trunkThreads: 3 },
	});
});

test("a trial waits for memory, unless it is alone", (t) => {
	const { enter, leave, got } = setUp();
	enter("huge", { bytes: 1000 });
	enter("small", {});
	t.deepEqual(Object.keys(got), ["huge"]);
	t.is(got.huge?.atOnce, 1);
	leave("huge");
	t.deepEqual(Object.keys(got), ["huge", "small"]);
	enter("large", { bytes: 95 });
	enter("other", {});
	t.deepEqual(Object.keys(got), ["huge", "small", "other"]);
	leave("small");
	leave("other");
	t.deepEqual(Object.keys(got), ["huge", "small", "other", "large"]);
});

test("features are computed by one trial at a time with all cores, and once for each kind", (t) => {
	const { enter, finishFeatures, leave, got } = setUp();
	enter("first", { features: "a" });
	enter("same", { features: "a" });
	enter("other", { features: "b" });
	enter("none", {});
	t.deepEqual(Object.keys(got), ["first", "none"]);
	t.deepEqual(got.first, { atOnce: 8, threads: 1, trunkThreads: 8 });
	finishFeatures("none");
	t.deepEqual(Object.keys(got), ["first", "none"], "another trial doesn't end the turn");
	finishFeatures("first");
	t.deepEqual(Object.keys(got), ["first", "none", "same", "other"]);
	t.deepEqual([got.same?.trunkThreads, got.other?.trunkThreads], [1, 8]);
	enter("next", { features: "b" });
	leave("next");
	enter("again", { features: "b" });
	leave("other");
	t.is(got.next, undefined);
	t.is(got.again?.trunkThreads, 8, "the trial before it ended without the features");
});
