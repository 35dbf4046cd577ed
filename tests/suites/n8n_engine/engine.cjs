// Answers questions about a workflow, one JSON object a line, by n8n's own code: what an expression gives, whether a
// condition holds, and whether a node's type knows the node's parameters.
const readline = require('node:readline');
const { NodeHelpers, Workflow, executeFilter } = require('n8n-workflow');

const NODES = './nodes-base/package/dist/nodes';
const TYPES = {
    'n8n-nodes-base.webhook': () => new (require(`${NODES}/Webhook/Webhook.node.js`).Webhook)(),
    'n8n-nodes-base.httpRequest': () => new (require(`${NODES}/HttpRequest/V3/HttpRequestV3.node.js`).HttpRequestV3)({}),
    'n8n-nodes-base.switch': () => new (require(`${NODES}/Switch/V3/SwitchV3.node.js`).SwitchV3)({}),
    'n8n-nodes-base.set': () => new (require(`${NODES}/Set/v2/SetV2.node.js`).SetV2)({}),
};
// A type without properties, so that a workflow keeps its parameters to itself.
const ANY = { description: { properties: [], inputs: ['main'], outputs: ['main'], defaults: {} } };
const NODE_TYPES = { getByName: () => ANY, getByNameAndVersion: () => ANY, getKnownTypes: () => ({}) };

const items = (json) => [{ json, pairedItem: { item: 0 } }];

function workflowOf({ nodes, connections, settings }) {
    const known = structuredClone(nodes.filter((node) => node.type !== 'n8n-nodes-base.stickyNote'));
    return new Workflow({ id: '1', nodes: known, connections, active: false, nodeTypes: NODE_TYPES, settings });
}

function resolved(value, { workflow, node, given, item }) {
    if (value !== null && typeof value === 'object') {
        const entries = Object.entries(value).map(([key, inner]) => [key, resolved(inner, { workflow, node, given, item })]);
        return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
    }
    const runData = {};
    for (const [name, json] of Object.entries(given)) {
        runData[name] = [{ startTime: 0, executionTime: 0, source: [null], data: { main: [items(json)] } }];
    }
    const run = { resultData: { runData } };
    return workflow.expression.resolveSimpleParameterValue(value, {}, run, 0, 0, node, items(item), 'manual', {});
}

// What a node's type makes of its parameters: those that differ, those that it does not know, and what it misses.
function judged(node) {
    const { description } = TYPES[node.type]();
    const kept = [true, false].map((withDefaults) =>
        NodeHelpers.getNodeParameters(description.properties, structuredClone(node.parameters), withDefaults, false, node));
    const same = (name) => kept.some((one) => JSON.stringify(one?.[name]) === JSON.stringify(node.parameters[name]));
    const isEmpty = (value) => JSON.stringify(value) === '{}';
    return {
        knows_version: [description.version].flat().includes(node.typeVersion),
        unknown: Object.keys(node.parameters).filter((name) => !same(name) && !isEmpty(node.parameters[name])),
        issues: NodeHelpers.getNodeParametersIssues(description.properties, structuredClone(node)),
    };
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
    const asked = JSON.parse(line);
    let answer;
    try {
        if (asked.do === 'judge') {
            answer = judged(asked.node);
        } else {
            const value = resolved(asked.value, { ...asked, workflow: workflowOf(asked.document) });
            answer = asked.do === 'filter' ? executeFilter(value, {}) : value;
        }
    } catch (error) {
        answer = { engine_error: error.message };
    }
    process.stdout.write(`${JSON.stringify(answer ?? null)}\n`);
});
