/**
 * The connections that npm's fetching library uses, as npm makes them (proxy, certificates), with a deadline until a connection stands.
 *
 * npm's agent has such a deadline itself, but leaves the socket behind without anybody listening to its errors: the next one would
 * end the process. Here the attempt that took too long is waited for in the background and closed.
 */
import type { NpmOptions } from './npm-config.ts';

interface Closable {
  destroy(): void;
}

/** What we touch of npm's agent: it connects by this method, which may be replaced. */
interface Agent {
  connect(request: unknown, options: unknown): Promise<Closable>;
}

const limited = new WeakSet<Agent>();

/** The agent for an address; one and the same for the same host and configuration, so that connections are used again. */
export const agentFor = async (
  url: string,
  npm: NpmOptions,
  limits: { sockets: number; connectMs: number },
): Promise<object> => {
  const { default: agents } = await import('@npmcli/agent');
  const agent = agents.getAgent(url, {
    proxy: npm.httpsProxy || npm.proxy,
    noProxy: npm.noProxy,
    ca: npm.ca,
    cert: npm.cert,
    key: npm.key,
    localAddress: npm.localAddress,
    rejectUnauthorized: npm.strictSSL !== false,
    maxSockets: limits.sockets,
  }) as Agent;
  if (!limited.has(agent)) limitConnecting(agent, limits.connectMs);
  return agent;
};

const limitConnecting = (agent: Agent, ms: number): void => {
  const connect = agent.connect.bind(agent);
  limited.add(agent);
  agent.connect = async (request, options) => {
    const attempt = connect(request, options);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        attempt.then(
          (socket) => socket.destroy(),
          () => {},
        );
        reject(Object.assign(new Error(`no connection within ${ms} ms`), { code: 'ECONNECTIONTIMEOUT' }));
      }, ms);
    });
    try {
      return await Promise.race([attempt, late]);
    } finally {
      clearTimeout(timer);
    }
  };
};
