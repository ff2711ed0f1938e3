/** A TCP proxy that can lose what the server says, cut all connections, and refuse new ones until it is healed. */

import net from "node:net";

/** @param {number} target a port on 127.0.0.1 */
export async function startProxy(target) {
  /** @type {Set<net.Socket>} */
  const sockets = new Set();
  /** @type {Set<() => void>} */
  const answers = new Set();
  let up = true;
  const track = (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  };
  const server = net.createServer((client) => {
    track(client);
    if (!up) {
      client.destroy();
      return;
    }
    const upstream = net.connect(target, "127.0.0.1");
    track(upstream);
    client.pipe(upstream).pipe(client);
    const lose = () => {
      upstream.unpipe(client);
      upstream.resume();
    };
    answers.add(lose);
    client.once("close", () => {
      answers.delete(lose);
      upstream.destroy();
    });
    upstream.once("close", () => client.destroy());
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(undefined)));
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: /** @type {net.AddressInfo} */ (server.address()).port,
    /** From now on, what the server says on the present connections gets lost. */
    lose_answers() {
      for (const lose of answers) lose();
    },
    cut() {
      up = false;
      drop();
    },
    heal() {
      up = true;
    },
    async stop() {
      drop();
      await new Promise((closed) => server.close(() => closed(undefined)));
    },
  };
}
