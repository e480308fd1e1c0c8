// The function that orval's functions send by: it puts the server's address in front of each path, as orval's manual shows.

export interface Options extends RequestInit {
  url?: string;
}

export async function send<Result>(path: string, { url = '', ...init }: Options): Promise<Result> {
  const headers = new Headers({ 'content-type': 'application/json' });
  new Headers(init.headers).forEach((value, name) => headers.set(name, value));
  const response = await fetch(`${url}${path}`, { ...init, headers });
  const text = await response.text();
  return { data: text === '' ? undefined : JSON.parse(text), status: response.status, headers: response.headers } as Result;
}
