// The platform's fetch, which also writes down what a client sent and what it got: for tests that speak about methods,
// media types and persisted queries.

// What GraphQL over HTTP calls parameters, from the body or the URL.
async function parametersOf(request) {
  if (request.method !== 'GET') return request.clone().json();
  const parameters = Object.fromEntries(new URL(request.url).searchParams);
  for (const name of ['variables', 'extensions']) {
    if (name in parameters) parameters[name] = JSON.parse(parameters[name]);
  }
  return parameters;
}

/** A fetch that adds every request and its answer to `exchanges`, in the order of the answers. */
export function recordingFetch(exchanges) {
  return async (input, init) => {
    const request = new Request(input, init);
    const parameters = await parametersOf(request);
    const answer = await fetch(request);
    exchanges.push({
      method: request.method,
      accept: request.headers.get('accept'),
      parameters,
      status: answer.status,
      contentType: answer.headers.get('content-type'),
      isDegraded: answer.headers.get('x-connections-degraded') === 'true',
      errors: (await answer.clone().json()).errors,
    });
    return answer;
  };
}
