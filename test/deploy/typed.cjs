// Checks Kubernetes objects: typed.cjs FOLDER FILE… reads every document of the YAML files, lets the published
// schema of its kind judge the values, and writes it as a TypeScript literal into FOLDER, where tsc then finds
// fields that its kind does not have, which a schema of Kubernetes lets pass.
const fs = require("node:fs");
const path = require("node:path");
const tools = process.env.NODE_TOOLS + "/node_modules/";
const yaml = require(tools + "js-yaml");

const packages = {
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator/",
  "serving.knative.dev": "@kubernetes-models/knative/",
};

async function check(document, where) {
  const [group, version] = document.apiVersion.includes("/") ? document.apiVersion.split("/") : ["", document.apiVersion];
  const short = group.replace(/\.k8s\.io$/, "");
  const model = [group, short]
    .map((g) => path.join(tools, packages[group] ?? "kubernetes-models/", g, version, document.kind))
    .find((file) => fs.existsSync(file + ".js"));
  if (!model) throw new Error(`${where}: no schema is known for ${document.apiVersion} ${document.kind}`);
  const loaded = await import(model + ".js");
  const Kind = (loaded[document.kind] ?? loaded.default?.[document.kind]);
  try {
    new Kind(document).validate();
  } catch (error) {
    throw new Error(`${where}: ${document.kind}: ${error.message}`);
  }
  return `import { I${document.kind} } from ${JSON.stringify(model)};\n` +
    `export const object: I${document.kind} = ${JSON.stringify(document, null, 1)};\n`;
}

async function main([folder, ...files]) {
  let number = 0;
  for (const file of files)
    for (const document of yaml.loadAll(fs.readFileSync(file, "utf8")))
      fs.writeFileSync(path.join(folder, `${path.basename(file, ".yaml")}-${number++}.ts`), await check(document, file));
  if (number === 0) throw new Error("there is no document");
  console.log(`${number} objects`);
}

main(process.argv.slice(2)).catch((error) => {
  console.log(error.message);
  process.exit(1);
});
