// Uses openapi-fetch with the types that openapi-typescript made, and prints a line of JSON a call: its name, status, the
// form that the answer was told apart as, and something out of it. The suite ../clients.py knows what it should be; that
// this file compiles is half of what it is for.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };

type Schemas = components["schemas"];
type Answer =
  | Schemas["UserAnswerOrProblem"]
  | Schemas["GetGroupAnswerOrProblem"]
  | Schemas["CreateGroupAnswerOrProblem"]
  | Schemas["OperationView"];

// Without the second parameter each answer could be a text as well: the Markdown that no call here asks for.
const clientOf = (key: string) =>
  createClient<paths, `application/${string}`>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });

const [, , url = "", key = ""] = process.argv;
const client = clientOf(key);

function told(answer: Answer): [string, unknown[]] {
  if ("IAM" in answer) {
    const { action, success, errorCode } = answer.IAM.Vendor;
    return ["UserEnvelope", [action, success, errorCode]];
  }
  if ("GetGroup" in answer) {
    return ["GetGroupEnvelope", [answer.GetGroup.success, answer.GetGroup.displayName]];
  }
  if ("CreateGroup" in answer) {
    return ["CreateGroupEnvelope", [answer.CreateGroup.success, answer.CreateGroup.errorCode]];
  }
  if ("dryRun" in answer) {
    const { requests, envelope } = answer.dryRun;
    return ["UserDryRun", [requests.length, "IAM" in envelope ? envelope.IAM.Vendor.action : null]];
  }
  if ("attempts" in answer) {
    return ["OperationView", [answer.state]];
  }
  return ["Problem", [answer.type, answer.status]];
}

function show(name: string, called: { data?: Answer; error?: Answer; response: Response }): void {
  const answer = called.data ?? called.error;
  const [kind, facts] = answer ? told(answer) : ["nothing", []];
  console.log(JSON.stringify([name, called.response.status, kind, facts]));
}

const body = { "user-profile": { username: "test" } };
const get = (profile: Schemas["UserProfile"]) =>
  client.POST("/commands/iam-get-user", { body: { "user-profile": profile } });

const done = await get({ username: "test" });
// The one success is narrowed by its own key.
const id: string | null = done.data && "IAM" in done.data ? done.data.IAM.Vendor.id : null;
if (id === null) throw new Error("no id");
show("done", done);
show("done, from a text", await get(JSON.stringify({ username: "test" })));
show("dry run", await client.POST("/commands/iam-update-user", {
  params: { query: { dryRun: true } },
  body: { "user-profile": { username: "test", title: "Engineer", shoesize: 43 } },
}));
show("skipped", await client.POST("/commands/iam-disable-user", { body: { "user-profile": { username: "nobody" } } }));
show("bad data", await get({}));
show("absent", await get({ username: "nobody" }));
const double = { username: "new", email: "amira.haddad@example.com", givenname: "a", surname: "b", displayname: "c" };
show("conflict", await client.POST("/commands/iam-create-user", { body: { "user-profile": double } }));
const scim = { displayName: "The best group" };
show("group", await client.POST("/commands/iam-get-group", { body: { scim } }));
show("group's conflict", await client.POST("/commands/iam-create-group", { body: { scim } }));
show("problem 400", await client.POST("/commands/iam-get-user", { params: { query: { instance: "" } }, body }));
show("problem 401", await clientOf("wrong").POST("/commands/iam-get-user", { body }));
show("problem 404", await client.POST("/commands/iam-get-user", { params: { query: { instance: "none" } }, body }));
