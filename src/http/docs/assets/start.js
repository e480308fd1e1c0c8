// Starts Swagger UI over openapi.json, and sends the API key of the field above it with each request.

import { say, sayUnauthorized, withKey } from "./key.js";

// The key in the field.
let key = "";

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

function sign(request) {
  // Without "omit", the browser would open its own password dialog at a 401.
  request.credentials = "omit";
  if (key && !request.loadSpec) request.headers.Authorization = `Bearer ${key}`;
  return request;
}

function tell(response) {
  if (!response.url?.endsWith("/openapi.json")) {
    if (response.status === 401) sayUnauthorized(Boolean(key));
    else say("");
  }
  return response;
}

// The key has its one place above; there is one server, this one, whatever address the description names.
const nothing = () => () => null;
const withoutSecondPlace = () => ({
  wrapComponents: { authorizeBtn: nothing, authorizeOperationBtn: nothing, ServersContainer: nothing },
});
const ofThisServer = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (update) => (description) =>
          update({ ...description, servers: [{ url: new URL(".", location.href).href.replace(/\/$/, "") }] }),
      },
    },
  },
});

withKey((newKey) => {
  key = newKey;
});

SwaggerUIBundle({
  url: "openapi.json",
  domNode: document.getElementById("docs"),
  plugins: [withoutSecondPlace, ofThisServer],
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  // Another server's service, otherwise.
  validatorUrl: null,
  requestInterceptor: sign,
  responseInterceptor: tell,
});
