/** What tests use of @xmpp/client, which brings no types. */
declare module '@xmpp/client' {
  export interface Element {
    readonly name: string;
    readonly attrs: Readonly<Record<string, string>>;
    is(name: string, xmlns?: string): boolean;
    getChild(name: string, xmlns?: string): Element | undefined;
    getChildText(name: string, xmlns?: string): string | null;
  }
  export interface Client {
    readonly reconnect: { stop(): void };
    readonly streamManagement: { readonly enabled: boolean };
    readonly iqCaller: { request(stanza: Element, timeoutMs?: number): Promise<Element> };
    start(): Promise<{ toString(): string }>;
    stop(): Promise<void>;
    send(stanza: Element): Promise<void>;
    on(event: 'stanza', hear: (stanza: Element) => void): void;
    on(event: 'error', hear: (error: Error) => void): void;
  }
  export function client(options: {
    service: string;
    domain: string;
    username: string;
    password: string;
    resource?: string;
  }): Client;
  export function xml(name: string, attrs?: object | string, ...children: (Element | string)[]): Element;
}
