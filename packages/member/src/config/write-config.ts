/**
 * Writes a node's configuration file, every key with what it is for in Chinese and English, those that are not set as comments.
 * Source: docs/guides/run-a-consortium.md.
 */
import { existsSync, mkdirSync } from "node:fs";
import { dirname, relative } from "node:path";
import { withStorePaths } from "@xinglin/archive";
import { writeFileDurably } from "@xinglin/custody";
import { Fault } from "@xinglin/primitives";
import { DEFAULT_MEGABYTES, DEFAULT_ROUNDS, DEFAULT_TIMEOUT_MS } from "../probing/defaults.ts";
import { keepingLines } from "./keeping-lines.ts";
import type { ChainConfig, NodeConfig } from "./node-config.ts";
import { choice, listed, quoted } from "./yaml-lines.ts";

/** Writes `config` to `file`, which must not be there unless `replace`; paths become relative to its folder. Throws `config_exists`. */
export function writeNodeConfig(file: string, config: NodeConfig, options: { readonly replace?: boolean } = {}): void {
  if (options.replace !== true && existsSync(file)) throw new Fault("config_exists", { path: file });
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileDurably(file, Buffer.from(configText(config, dirname(file))));
}

/** A value on one line: maps keep their keys bare. */
const flow = (value: unknown): string =>
  typeof value === "object" && value !== null
    ? `{ ${Object.entries(value)
        .map(([key, inner]) => `${key}: ${flow(inner)}`)
        .join(", ")} }`
    : JSON.stringify(value);

function configText(config: NodeConfig, folder: string): string {
  const nearby = (path: string): string => {
    const from = relative(folder, path);
    return from === "" ? "." : from.startsWith("..") ? from : `./${from}`;
  };
  const near = (path: string): string => quoted(nearby(path));
  const { api, custody, stores } = config;
  const lines = [
    "# 杏林节点配置：一个成员机构的节点。修改后重启节点生效。",
    "# Configuration of a Xinglin node: the node of one member. Takes effect when the node is started again.",
    "# 相对路径以本文件所在文件夹为准；本文件不含任何密钥，只写密钥文件的路径。",
    "# Relative paths start at this file's folder; no secret stands in here, only paths to key files.",
    "",
    "type: xinglin-node/1",
    "",
    "# 本成员的标识，与创世文件中一致 / this member's id, as in the genesis",
    `member: ${quoted(config.member)}`,
    "# 创世文件：全体成员相同 / the genesis document: the same for all members",
    `genesis: ${near(config.genesis)}`,
    "# 链标识：与其他成员核对过的；创世文件不符时拒绝启动 / the chain's id as compared with other members: another genesis is refused",
    ...choice(
      "chainId",
      config.chainId === undefined ? undefined : quoted(config.chainId),
      "xinglin-0123456789abcdef01234567",
      "",
    ),
    "# 数据文件夹：账本、读模型、份额 / data folder: ledger, read model, shares",
    `data: ${near(config.data)}`,
    "",
    "# 区块链 / the chain",
    ...chainLines(config.chain, near),
    "",
    "# 网页与接口 / page and API",
    "api:",
    "  # 监听地址；非本机地址必须配置证书 / where to listen; other addresses than this machine's need a certificate",
    `  listen: ${quoted(api.listen)}`,
    "  # 浏览器使用的域名 / host names under which browsers reach it",
    ...choice(
      "names",
      api.names === undefined ? undefined : `[${api.names.map(quoted).join(", ")}]`,
      '["records.hospital.example"]',
    ),
    "  # 证书与私钥（PEM 文件；私钥仅属主可读） / certificate and private key (PEM files; the key readable by its owner only)",
    ...choice("certificate", api.certificate === undefined ? undefined : near(api.certificate), "./tls/certificate.pem"),
    ...choice("privateKey", api.privateKey === undefined ? undefined : near(api.privateKey), "./tls/key.pem"),
    "  # 其他成员的接口地址：患者页面用来互相印证，发现说谎的节点",
    "  # addresses of other members' APIs: the patient page compares with them, so that a lying node is found out",
    ...listed("  ", "witnesses", (api.witnesses ?? []).map(quoted)),
    "",
    "# 密钥份额的保管 / custody of key shares",
    "custody:",
    "  # 本成员保管人的密钥文件 / key file of this member's custodian",
    `  key: ${near(custody.key)}`,
    `  # 监听地址：供其他成员的节点使用 / where to listen, for other members' nodes`,
    `  listen: ${quoted(custody.listen)}`,
    "  # 恢复一份密钥所需的保管人数 / how many custodians restore a key",
    `  threshold: ${custody.threshold}`,
    "  # 其他成员的保管人 / the other members' custodians",
    ...listed(
      "  ",
      "others",
      (custody.others ?? []).map(({ member, url }) => `{ member: ${quoted(member)}, url: ${quoted(url)} }`),
    ),
    "",
    ...probingLines(config.probing, near),
    "",
    "# 归档存储：本成员出借的（xinglin store add 写入）；其他成员的由链上得知",
    "# stores of the archive that this member lends (written by `xinglin store add`); others' are known from the chain",
    ...listed(
      "",
      "stores",
      stores.map((store) => flow(withStorePaths(store, nearby))),
    ),
    "",
    ...archiveLines(config.archive),
    "",
    ...keepingLines(config.keeping, near),
    "",
    "# 本成员归档时使用的密码算法：standard 为 AES-256-GCM 与 SHA-256；national 为国密 SM4 与 SM3（处理器耗时约七倍）。已归档的对象不变",
    "# what this member seals with: standard is AES-256-GCM and SHA-256, national is SM4 and SM3 (some seven times the CPU time); what is archived stays as it is",
    ...choice("archiveProfile", config.archiveProfile, "national", ""),
    "",
    "# 含 PostgreSQL 连接地址的文件（仅属主可读）；不设则使用内置数据库",
    "# file with the address of a PostgreSQL (readable by its owner only); without it the embedded database is used",
    ...choice(
      "databaseUrlFile",
      config.databaseUrlFile === undefined ? undefined : near(config.databaseUrlFile),
      "./database-url",
      "",
    ),
    "",
  ];
  return lines.join("\n");
}

function chainLines(chain: ChainConfig, near: (path: string) => string): string[] {
  if (chain.driver === "solo")
    return [
      "chain:",
      "  # 单机模式：只有一个验证者，其密钥可改写历史；可用 xinglin network from-solo 转为多成员网络",
      "  # solo: one validator, whose key could rewrite history; `xinglin network from-solo` continues it as a network",
      "  driver: solo",
      "  # 验证者密钥文件 / key file of the validator",
      `  validatorKey: ${near(chain.validatorKey)}`,
    ];
  const peers = chain.peers.map(({ id, address }) => `{ id: ${quoted(id)}, address: ${quoted(address)} }`);
  const { stateSync } = chain;
  return [
    "chain:",
    "  # 与其他成员共同出块（CometBFT） / blocks are agreed on with other members (CometBFT)",
    "  driver: cometbft",
    "  # 验证者密钥文件：同一密钥绝不能同时用于两个节点，否则会失去席位；不设则节点只跟随",
    "  # key file of the validator: never run two nodes with one key, it costs the seat; without it the node only follows",
    ...choice(
      "validatorKey",
      chain.validatorKey === undefined ? undefined : near(chain.validatorKey),
      "./members/ID/validator.json",
    ),
    "  # 节点密钥文件：其他节点以此识别本节点 / key file by which other nodes know this one",
    `  nodeKey: ${near(chain.nodeKey)}`,
    "  # 监听地址：供其他成员的节点连接 / where to listen for other members' nodes",
    `  listen: ${quoted(chain.listen)}`,
    "  # 告知其他节点的地址（若与监听地址不同） / address that others are told, where it differs",
    ...choice("announce", chain.announce === undefined ? undefined : quoted(chain.announce), '"node.hospital.example:26656"'),
    "  # 其他成员的节点 / other members' nodes",
    ...listed("  ", "peers", peers),
    "  # 另外允许连接的节点编号（例如本机构的哨兵节点）；链上成员登记的节点和上面的 peers 无需列出，其他节点一律拒绝",
    "  # ids of further nodes that may connect, such as an own sentry; nodes that members name on the chain and the peers above need no line, all others are refused",
    ...choice(
      "admit",
      chain.admit === undefined ? undefined : `[${chain.admit.map(quoted).join(", ")}]`,
      `["${"0".repeat(40)}"]`,
    ),
    "  # 所有节点都在本机（试用） / all nodes are on this machine (for trying it out)",
    ...choice("loopback", chain.loopback === undefined ? undefined : quoted(chain.loopback), "true"),
    "  # 供新成员以快照加入时查询区块头；只对成员网络开放",
    "  # where nodes that join by a snapshot ask for headers; open it to the members' network only",
    ...choice("rpc", chain.rpc === undefined ? undefined : quoted(chain.rpc), '"10.0.0.5:26657"'),
    "  # 每隔多少区块生成一次快照；0 为不生成 / a snapshot every so many blocks; 0 for none",
    ...choice("snapshotBlocks", chain.snapshotBlocks === undefined ? undefined : quoted(chain.snapshotBlocks), "1000"),
    "  # 至少保留多少旧区块；不设则全部保留 / old blocks kept at least; without it all are",
    ...choice("keepBlocks", chain.keepBlocks === undefined ? undefined : quoted(chain.keepBlocks), "200000"),
    "  # 由 xinglin node join 写入：以快照加入时信任的区块头",
    "  # written by `xinglin node join`: the header that joining by a snapshot trusts",
    ...(stateSync === undefined
      ? ["  # stateSync:"]
      : [
          "  stateSync:",
          `    servers: [${stateSync.servers.map(quoted).join(", ")}]`,
          `    height: ${stateSync.height}`,
          `    hash: ${quoted(stateSync.hash)}`,
        ]),
  ];
}

function probingLines(probing: NodeConfig["probing"], near: (path: string) => string): string[] {
  const { key, peers = [], rounds, megabytes, timeoutMs } = probing ?? {};
  const heading = [
    "# 节点探测：委员会成员的节点每个周期互相探测可用性、带宽和剩余空间，签名上链；不设 key 则不探测",
    "# probes: nodes of committee members look at each other's availability, bandwidth and free space and sign it once an epoch; without a key not",
  ];
  const lines = [
    "probing:",
    "  # 签名密钥：本成员的管理密钥，或更好：为此登记的设备的密钥 / who signs: this member's administration, or better a device registered for it",
    ...choice("key", key === undefined ? undefined : near(key), "./members/ID/administration.json"),
    "  # 其他成员节点的接口地址；不在此列的不探测，检索病历时也不询问 / APIs of other members' nodes; who is not in here is neither probed nor asked in searches",
    ...listed(
      "  ",
      "peers",
      peers.map(({ member, url }) => `{ member: ${quoted(member)}, url: ${quoted(url)} }`),
    ),
    "  # 每个周期探测每个节点的次数 / looks at each node in an epoch",
    ...choice("rounds", rounds === undefined ? undefined : quoted(rounds), String(DEFAULT_ROUNDS)),
    "  # 每个周期测量带宽最多传输多少兆字节（全部节点合计） / most megabytes that measuring bandwidth takes in an epoch, of all nodes together",
    ...choice("megabytes", megabytes === undefined ? undefined : quoted(megabytes), String(DEFAULT_MEGABYTES)),
    "  # 超过此毫秒数未答复即为未答复 / an answer that takes longer, in milliseconds, counts as none",
    ...choice("timeoutMs", timeoutMs === undefined ? undefined : quoted(timeoutMs), String(DEFAULT_TIMEOUT_MS)),
  ];
  return [...heading, ...(probing === undefined ? lines.map((line) => `# ${line}`) : lines)];
}

function archiveLines(archive: NodeConfig["archive"]): string[] {
  const lines = [
    "archive:",
    "  # 监听地址：其他成员的节点在此读写出借的存储 / where to listen: other members' nodes read and write the lent stores there",
    `  listen: ${quoted(archive?.listen ?? "0.0.0.0:8770")}`,
    "  # 其他成员使用的地址；非本机地址使用 api 的证书 / the address that other members use; beyond this machine with the certificate of `api`",
    `  url: ${quoted(archive?.url ?? "https://store.hospital.example:8770")}`,
    "  # 单个成员在每个存储中最多占用的兆字节；不设则为配额的一半 / most megabytes of one member in each store; half of its quota without it",
    ...choice(
      "memberQuotaMegabytes",
      archive?.memberQuotaMegabytes === undefined ? undefined : quoted(archive.memberQuotaMegabytes),
      "500000",
    ),
  ];
  const heading = ["# 存储服务：向其他成员出借存储 / the store service: lends stores to the other members"];
  return [...heading, ...(archive === undefined ? lines.map((line) => `# ${line}`) : lines)];
}
