// Run on two hosts to see what is between them: `take` takes what comes and says when it has all of it, `send HOST
// BYTES` prints how many ms it took to connect, and then to have that much taken.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { performance } from "node:perf_hooks";

const PORT = 5000;
const [mode, host = "", bytes = ""] = process.argv.slice(2);
if (mode === "take") {
	const server = createServer((socket) => void socket.resume().on("end", () => socket.end()));
	server.listen(PORT, () => console.log("listening"));
} else {
	const beganMs = performance.now();
	const socket = connect(PORT, host);
	await once(socket, "connect");
	const connectedMs = performance.now();
	socket.resume().end(Buffer.alloc(Number(bytes)));
	await once(socket, "end");
	console.log(JSON.stringify({ connectMs: connectedMs - beganMs, parcelMs: performance.now() - connectedMs }));
}
