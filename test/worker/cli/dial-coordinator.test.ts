import { type AddressInfo, createServer } from "node:net";
import test from "ava";
import { dialCoordinator } from "../../../worker/cli/dial-coordinator.ts";
import { someRun } from "../../shared/bus/messages.ts";

test("a worker that was told its coordinators dials no other address, so nobody else sees its token", async (t) => {
	let connections = 0;
	const stranger = createServer(() => void connections++);
	await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
	t.teardown(() => stranger.close());
	const tensorsAddress = `127.0.0.1:${(stranger.address() as AddressInfo).port}`;
	const dial = dialCoordinator({ token: "secret" }, { coordinators: ["east:7070", "west:7070"] });
	await t.throwsAsync(dial(someRun({ tensorsAddress }), "worker", new AbortController().signal), {
		code: "denied",
		message: `the run's coordinator is at ${tensorsAddress}, expected east:7070 or west:7070 (--coordinator)`,
	});
	t.is(connections, 0);
});
