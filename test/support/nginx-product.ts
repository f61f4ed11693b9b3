/**
 * A product of the tests' own whose server is Debian's nginx: no Node program, so its requests are counted from its access log. Its release is MailDev's,
 * of which nothing is started.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { quickProduct } from './quick-product.ts';

export const nginx = ['/usr/sbin/nginx', '/usr/bin/nginx'].find((path) => existsSync(path));

/** Why there is none, for a skip that is printed; CI skips nothing. */
export const noNginx = (): string | undefined => {
  if (nginx !== undefined) return undefined;
  if (process.env.CI === 'true') throw new Error('nginx is missing, and CI skips nothing: install nginx-light');
  return 'nginx is not installed (apt-get install nginx-light)';
};

/** Path of its manifest, version 3.0.0. */
export const nginxProduct = (folder: string): string => {
  const file = quickProduct(folder, 'maildev', (manifest) => {
    const { releases, settings } = manifest as unknown as Written;
    const release = releases.find(({ version }) => version === '3.0.0');
    Object.assign(release ?? {}, {
      service: { command: [nginx, '-p', '{{data}}', '-c', '{{config}}/nginx.conf', '-e', 'stderr'] },
      config: [{ template: 'templates/nginx.conf', file: 'nginx.conf' }],
      health: { stableSeconds: 0, checks: [{ kind: 'http', url: '{{urls.web}}/' }] },
    });
    Object.assign(manifest, { name: 'pages', title: 'Pages', settings: { webPort: settings.webPort }, telemetry });
    Object.assign(manifest, { urls: { web: 'http://127.0.0.1:{{webPort}}' }, releases: [release] });
    delete manifest.login;
  });
  mkdirSync(join(dirname(file), 'templates'), { recursive: true });
  writeFileSync(join(dirname(file), 'templates/nginx.conf'), configuration);
  return file;
};

interface Written {
  readonly releases: { readonly version: string }[];
  readonly settings: { readonly webPort: object };
}

const telemetry = {
  counters: [{ name: 'page-opened', title: 'page opened', routes: ['GET /pages/:id'] }],
  dimensions: ['browser', 'hour'],
  recipient: 'none',
  accessLog: { file: '{{data}}/access.log', format: 'combined', signals: true },
};

const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** The format is the one of docs/products.md. */
const configuration = `daemon off;
worker_processes 1;
pid {{data}}/nginx.pid;
events {}
http {
  ${temporary.map((name) => `${name}_temp_path {{data}}/temp;`).join(' ')}
  log_format counted '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                     '"$http_referer" "$http_user_agent" "$http_sec_gpc" "$http_dnt"';
  access_log {{data}}/access.log counted;
  server { listen 127.0.0.1:{{webPort}}; location / { return 200 "ok"; } }
}
`;
