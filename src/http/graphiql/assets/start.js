// Starts GraphiQL over this server's /graphql, and sends the API key of the field above the editor with each request.

import { say, sayUnauthorized, withKey } from "./key.js";

const STARTER = `# Your list of connections: LC's rows, merged with SSO's.
# Paste an API key into the field above, then press the
# triangle, or Ctrl-Enter. Ctrl-Space completes, and the
# book at the left opens the documentation.

query Connections {
  connections(first: 20) {
    totalCount
    degraded
    nodes {
      connectionId
      status
      drift
      relationshipType
      connectedAccount {
        name
      }
      accountEntity {
        name
        connected
        expired
      }
      customEntities {
        name
        source
        recipient
      }
      permissions
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}

# What to try next:
#
# 1. SSO down. In a terminal beside the running demo:
#    curl -X PUT localhost:9090/__scenario -H 'content-type: application/json' -d '{"scenario": "down"}'
# Run the query again: the list still comes, from LC's
# rows; degraded is true, permissions are unknown (null).
# The same line with "ok" brings SSO back.
#
# 2. A filter. In place of connections(first: 20):
#    connections(
#      first: 20
#      filter: {status: SSO_ONLY}
#      orderBy: {field: PARTNER_NAME, direction: ASC}
#    )
#
# 3. What a repair would write, without writing it. With a
# superuser's key, in a new tab (+), for a connectionId
# whose status is SSO_ONLY:
#    mutation {
#      repairConnection(input: {
#        connectionId: "c0000000000000000000000a"
#        dryRun: true
#      }) {
#        outcome
#        plan { changes { path after from } untouched }
#        userErrors { code message }
#      }
#    }
`;

const INTROSPECTION = "IntrospectionQuery";

const root = ReactDOM.createRoot(document.getElementById("graphiql"));

// The key in the field.
let key = "";

// Each key has a fetcher of its own: a new fetcher is what makes GraphiQL ask for the schema again.
function fetcherWith(ownKey) {
  // The answer to a request with an earlier key says nothing of the one in the field.
  const isCurrent = () => ownKey === key;
  const sayIfCurrent = (...words) => {
    if (isCurrent()) say(...words);
  };
  return async (parameters, options) => {
    const headers = new Headers({
      accept: "application/graphql-response+json, application/json;q=0.9",
      "content-type": "application/json",
    });
    if (ownKey) headers.set("authorization", `Bearer ${ownKey}`);
    for (const [name, value] of Object.entries(options?.headers ?? {})) headers.set(name, value);
    const isIntrospection = parameters.operationName === INTROSPECTION;

    let response;
    let text;
    try {
      // Without "omit", the browser would open its own password dialog at a 401.
      const request = { method: "POST", headers, body: JSON.stringify(parameters), credentials: "omit" };
      response = await fetch("graphql", request);
      text = await response.text();
    } catch (error) {
      sayIfCurrent("The server does not answer. Is it still running?", "bad");
      throw error;
    }
    let answer;
    try {
      answer = JSON.parse(text);
    } catch {
      answer = { errors: [{ message: `HTTP ${response.status}: ${text}` }] };
    }

    if (response.status === 401) {
      if (isCurrent()) sayUnauthorized(headers.has("authorization"));
    } else if (response.status === 429) {
      sayIfCurrent("429: too many requests; wait a little.", "bad");
    } else if (response.status >= 500) {
      sayIfCurrent(`${response.status}: the server cannot answer now; try again.`, "bad");
    } else if (isIntrospection && !answer.data?.__schema) {
      sayIfCurrent("Key accepted. This server does not show its schema; queries work all the same.", "good");
    } else {
      sayIfCurrent("Key accepted.", "good");
    }
    if (isIntrospection && !answer.data?.__schema) {
      // Thrown, since GraphiQL asks a second time otherwise.
      throw new Error(answer.errors?.[0]?.message ?? `HTTP ${response.status}`);
    }
    return answer;
  };
}

withKey((newKey) => {
  key = newKey;
  root.render(
    React.createElement(GraphiQL, {
      fetcher: fetcherWith(key),
      // Without a key there is no schema to be had: null keeps GraphiQL from asking.
      schema: key ? undefined : null,
      introspectionQueryName: INTROSPECTION,
      schemaDescription: true,
      defaultQuery: STARTER,
      shouldPersistHeaders: false,
      showPersistHeadersSettings: false,
    }),
  );
});
