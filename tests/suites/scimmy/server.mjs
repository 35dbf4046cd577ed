// A SCIM 2.0 server made of other people's code: SCIMMY parses, patches, filters and answers; here are
// only two maps to keep users and groups in, and the uniqueness that a store has to provide.
//
//   node server.mjs PORT TOKEN        listens on 127.0.0.1, SCIM base at /v2
import {randomUUID} from "node:crypto";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const [port, token] = process.argv.slice(2);

/** Declares a resource type kept in memory; `unique` names the attribute that no two may share, case aside. */
function keep(Resource, unique) {
  const kept = new Map();
  const absent = (id) => new SCIMMY.Types.Error(404, null, `Resource ${id} not found`);
  const taken = (data, id) => [...kept.values()].some((other) =>
    other.id !== id && String(other[unique]).toLowerCase() === String(data[unique]).toLowerCase());

  SCIMMY.Resources.declare(Resource)
    .ingress((resource, data) => {
      const before = resource.id ? kept.get(resource.id) : undefined;
      if (resource.id && !before) throw absent(resource.id);
      if (taken(data, resource.id)) throw new SCIMMY.Types.Error(409, "uniqueness", `${unique} is taken`);
      const now = new Date().toISOString();
      const stored = {...JSON.parse(JSON.stringify(data)), id: before?.id ?? randomUUID(),
        meta: {created: before?.meta.created ?? now, lastModified: now}};
      kept.set(stored.id, stored);
      return stored;
    })
    .egress((resource) => {
      if (!resource.id) return resource.filter ? resource.filter.match([...kept.values()]) : [...kept.values()];
      if (!kept.has(resource.id)) throw absent(resource.id);
      return kept.get(resource.id);
    })
    .degress((resource) => {
      if (!kept.delete(resource.id)) throw absent(resource.id);
    });
}

SCIMMY.Config.set({patch: true, filter: true, documentationUri: undefined});
SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false);
keep(SCIMMY.Resources.User, "userName");
keep(SCIMMY.Resources.Group, "displayName");

const bearer = (request) => {
  if (request.header("Authorization") !== `Bearer ${token}`) throw new Error("Authorization not recognised");
  return "suite";
};
const app = express();
app.use("/v2", new SCIMMYRouters({type: "bearer", handler: bearer}));
app.listen(Number(port), "127.0.0.1", () => console.log(`listening on 127.0.0.1:${port}`));
