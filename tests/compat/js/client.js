// The AWS SDK for JavaScript v3: its own HTTP/2, by h2c or (with "tls" as the
// argument) over TLS. The steps are the table of ../README.md.
import assert from "node:assert/strict";
import {
  AddTagsToStreamCommand, CreateStreamCommand,
  DecreaseStreamRetentionPeriodCommand, DeleteResourcePolicyCommand,
  DeleteStreamCommand, DeregisterStreamConsumerCommand,
  DescribeStreamCommand, DescribeStreamConsumerCommand,
  DescribeStreamSummaryCommand, DisableEnhancedMonitoringCommand,
  EnableEnhancedMonitoringCommand, GetRecordsCommand,
  GetResourcePolicyCommand, GetShardIteratorCommand,
  IncreaseStreamRetentionPeriodCommand, InvalidArgumentException,
  KinesisClient, ListShardsCommand, ListTagsForResourceCommand,
  ListTagsForStreamCommand, MergeShardsCommand,
  ProvisionedThroughputExceededException, PutRecordCommand,
  PutRecordsCommand, PutResourcePolicyCommand, RegisterStreamConsumerCommand,
  RemoveTagsFromStreamCommand, ResourceInUseException,
  ResourceNotFoundException, SplitShardCommand, StartStreamEncryptionCommand,
  StopStreamEncryptionCommand, SubscribeToShardCommand, TagResourceCommand,
  UntagResourceCommand, UpdateShardCountCommand, UpdateStreamModeCommand,
  ValidationException, paginateListStreamConsumers, paginateListStreams,
  waitUntilStreamExists, waitUntilStreamNotExists,
} from "@aws-sdk/client-kinesis";

const tls = process.argv[2] === "tls";
if (tls) process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
const endpoint =
    tls ? process.env.TRIREME_TLS_URL : process.env.AWS_ENDPOINT_URL;
const kinesis = new KinesisClient({endpoint});
const HIGHEST_HASH_KEY = (2n ** 128n - 1n).toString();
const MIDDLE_HASH_KEY = (2n ** 127n).toString();

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const text = (bytes) => Buffer.from(bytes).toString("utf8");
const bytes = (string) => Buffer.from(string, "utf8");
const send = (command) => kinesis.send(command);

function assertNow(date) {
  assert.ok(date instanceof Date, `${date} is no Date`);
  assert.ok(Math.abs(Date.now() - date.getTime()) < 60_000,
            `${date.toISOString()} is not within a minute of now`);
}

async function until(what, condition) {
  const deadline = Date.now() + 30_000;
  while (true) {
    const value = await condition();
    if (value) return value;
    assert.ok(Date.now() < deadline, `waited 30 s for ${what}`);
    await pause(100);
  }
}

async function summary(name) {
  const answer = await send(new DescribeStreamSummaryCommand(
      {StreamName: name}));
  return answer.StreamDescriptionSummary;
}

const active = (name) => until(`${name} to be ACTIVE`, async () => {
  const seen = await summary(name);
  return seen.StreamStatus === "ACTIVE" && seen;
});

async function create(name, shards) {
  await send(new CreateStreamCommand({StreamName: name, ShardCount: shards}));
  await waitUntilStreamExists(
      {client: kinesis, maxWaitTime: 30, minDelay: 1, maxDelay: 1},
      {StreamName: name});
  return summary(name);
}

async function shardsOf(name, filter) {
  const input = {StreamName: name};
  if (filter) input.ShardFilter = {Type: filter};
  return (await send(new ListShardsCommand(input))).Shards;
}

async function iterator(name, shard, type, more = {}) {
  const answer = await send(new GetShardIteratorCommand({
    StreamName: name, ShardId: shard, ShardIteratorType: type, ...more}));
  return answer.ShardIterator;
}

// Records until `count` are there (or the shard's end), with the last answer.
async function read(from, count) {
  const records = [];
  let answer;
  const deadline = Date.now() + 20_000;
  while (from && records.length < count) {
    answer = await send(new GetRecordsCommand({ShardIterator: from}));
    records.push(...answer.Records);
    assert.notEqual(answer.NextShardIterator, from);
    from = answer.NextShardIterator;
    assert.ok(Date.now() < deadline,
              `${records.length} of ${count} records after 20 s`);
    if (from && records.length < count) await pause(50);
  }
  return {records, answer};
}

async function put(name, data, key, hash) {
  return send(new PutRecordCommand({
    StreamName: name, Data: data, PartitionKey: key, ExplicitHashKey: hash}));
}

async function register(stream, name) {
  const {Consumer} = await send(new RegisterStreamConsumerCommand(
      {StreamARN: stream.StreamARN, ConsumerName: name}));
  assert.equal(Consumer.ConsumerStatus, "CREATING");
  assertNow(Consumer.ConsumerCreationTimestamp);
  await until(`consumer ${name} to be ACTIVE`, async () => {
    const {ConsumerDescription} = await send(
        new DescribeStreamConsumerCommand(
            {ConsumerARN: Consumer.ConsumerARN}));
    return ConsumerDescription.ConsumerStatus === "ACTIVE";
  });
  return Consumer;
}

async function subscribe(consumer, shard, position) {
  const answer = await send(new SubscribeToShardCommand({
    ConsumerARN: consumer.ConsumerARN, ShardId: shard,
    StartingPosition: position}));
  return answer.EventStream;
}

// --- The steps.

const MAIN = "compat-main";
let stream;
let putRecords;  // What was put into MAIN: [shard, key, data].

async function createsAStreamAndWaits() {
  stream = await create(MAIN, 2);
  assert.equal(stream.StreamStatus, "ACTIVE");
  assert.equal(stream.OpenShardCount, 2);
  assert.equal(stream.RetentionPeriodHours, 24);
  assert.equal(stream.StreamModeDetails.StreamMode, "PROVISIONED");
  assert.match(stream.StreamARN,
               /^arn:aws:kinesis:us-east-1:\d{12}:stream\/compat-main$/);
  assertNow(stream.StreamCreationTimestamp);
  const {StreamDescription} = await send(
      new DescribeStreamCommand({StreamName: MAIN}));
  assertNow(StreamDescription.StreamCreationTimestamp);
  assert.equal(StreamDescription.Shards[1].HashKeyRange.StartingHashKey,
               MIDDLE_HASH_KEY);
  assert.equal(StreamDescription.Shards[1].HashKeyRange.EndingHashKey,
               HIGHEST_HASH_KEY);
}

async function putsRecords() {
  const [low, high] = (await shardsOf(MAIN)).map((shard) => shard.ShardId);
  const everyByte = Uint8Array.from({length: 256}, (_, i) => i);
  putRecords = [
    [low, "empty", Buffer.alloc(0)],
    [high, "binary", Buffer.from(everyByte)],
    [low, "schlüssel-ключ-鍵-🗝", bytes("naïve ✓")],
    [high, "k".repeat(256), bytes("the longest key")],
  ];
  for (const [shard, key, data] of putRecords) {
    const answer = await put(MAIN, data, key,
                             shard === low ? "0" : HIGHEST_HASH_KEY);
    assert.equal(answer.ShardId, shard);
    assert.match(answer.SequenceNumber, /^[1-9]\d{0,128}$/);
  }
  const batch = Array.from({length: 500}, (_, i) =>
      [i % 2 ? high : low, `batch-${i}`, bytes(`record ${i}`)]);
  const answer = await send(new PutRecordsCommand({
    StreamName: MAIN,
    Records: batch.map(([shard, key, data]) => ({
      Data: data, PartitionKey: key,
      ExplicitHashKey: shard === low ? "0" : HIGHEST_HASH_KEY})),
  }));
  assert.equal(answer.FailedRecordCount, 0);
  assert.deepEqual(answer.Records.map((entry) => entry.ShardId),
                   batch.map(([shard]) => shard));
  putRecords.push(...batch);
}

async function readsByEveryIteratorType() {
  const shards = await shardsOf(MAIN);
  for (const {ShardId} of shards) {
    const expected = putRecords.filter(([shard]) => shard === ShardId);
    const {records} = await read(
        await iterator(MAIN, ShardId, "TRIM_HORIZON"), expected.length);
    assert.deepEqual(
        records.map((r) => `${r.PartitionKey} ${Buffer.from(r.Data)
            .toString("hex")}`).sort(),
        expected.map(([, key, data]) => `${key} ${data.toString("hex")}`)
            .sort());
    for (const record of records) {
      assertNow(record.ApproximateArrivalTimestamp);
      assert.equal(record.EncryptionType, undefined);
    }
  }
  const shard = shards[0].ShardId;
  const latest = await iterator(MAIN, shard, "LATEST");
  const numbers = [];
  for (let i = 0; i < 4; ++i) {
    // Some clients send whole seconds: AT_TIMESTAMP of the third record must
    // not reach back to the second.
    if (i === 2) await pause(1100);
    numbers.push((await put(MAIN, bytes(`r${i}`), "five", "0"))
        .SequenceNumber);
  }
  const first = async (from, count) =>
      (await read(from, count)).records.map((record) => text(record.Data));
  assert.deepEqual(await first(latest, 4), ["r0", "r1", "r2", "r3"]);
  assert.deepEqual(await first(latest, 4), ["r0", "r1", "r2", "r3"],
                   "an iterator is a position: a retry reads the same");
  const at = {StartingSequenceNumber: numbers[2]};
  assert.deepEqual(
      await first(await iterator(MAIN, shard, "AT_SEQUENCE_NUMBER", at), 2),
      ["r2", "r3"]);
  assert.deepEqual(
      await first(await iterator(MAIN, shard, "AFTER_SEQUENCE_NUMBER", at), 1),
      ["r3"]);
  const {records} = await read(
      await iterator(MAIN, shard, "AT_SEQUENCE_NUMBER", at), 1);
  const since = await iterator(MAIN, shard, "AT_TIMESTAMP", {
    Timestamp: records[0].ApproximateArrivalTimestamp});
  assert.deepEqual(await first(since, 2), ["r2", "r3"]);
  const start = {StartingSequenceNumber:
                     shards[0].SequenceNumberRange.StartingSequenceNumber};
  await iterator(MAIN, shard, "AT_SEQUENCE_NUMBER", start);
}

async function subscribesToAShard() {
  const [low, high] = (await shardsOf(MAIN)).map((shard) => shard.ShardId);
  const consumer = await register(stream, "fan-out");
  const events = await subscribe(consumer, low, {Type: "LATEST"});
  await assert.rejects(subscribe(consumer, low, {Type: "LATEST"}),
                       ResourceInUseException);
  const sent = new Map();
  const latencies = [];
  const sender = (async () => {
    for (let i = 0; i < 11; ++i) {
      await pause(100);
      sent.set(`push ${i}`, Date.now());
      await put(MAIN, bytes(`push ${i}`), "push", "0");
    }
  })();
  let continuation;
  for await (const {SubscribeToShardEvent: event} of events) {
    assert.ok(event.ContinuationSequenceNumber);
    assert.ok(event.MillisBehindLatest >= 0);
    continuation = event.ContinuationSequenceNumber;
    for (const record of event.Records) {
      const at = sent.get(text(record.Data));
      assert.ok(at, `${text(record.Data)} was not put after LATEST`);
      latencies.push(Date.now() - at);
      assertNow(record.ApproximateArrivalTimestamp);
    }
    if (latencies.length >= 11) break;
  }
  await sender;
  latencies.sort((a, b) => a - b);
  console.log(`  put to push: median ${latencies[5]} ms, ` +
              `most ${latencies[10]} ms`);
  assert.ok(latencies[5] < 1000);
  // The other shard from its start: not LATEST only.
  const expected = putRecords.filter(([shard]) => shard === high).length;
  let seen = 0;
  for await (const {SubscribeToShardEvent: event} of
             await subscribe(consumer, high, {Type: "TRIM_HORIZON"})) {
    seen += event.Records.length;
    if (seen >= expected) break;
  }
  assert.equal(seen, expected);
  await iterator(MAIN, low, "AFTER_SEQUENCE_NUMBER",
                 {StartingSequenceNumber: continuation});
}

async function readsAcrossASplitAndAMerge() {
  const name = "compat-reshard";
  const created = await create(name, 1);
  const consumer = await register(created, "across");
  const [root] = await shardsOf(name);
  const events = await subscribe(consumer, root.ShardId,
                                 {Type: "TRIM_HORIZON"});
  // Read as it comes: the SDK drops what is unread when the stream ends.
  const lastEvent = (async () => {
    let last;
    for await (const {SubscribeToShardEvent: event} of events) last = event;
    return last;
  })();
  let next = 0;
  const putSome = async () => {
    for (let i = 0; i < 10; ++i, ++next) {
      // Keys that fall on both sides of the middle.
      await put(name, bytes(`${next}`), `key-${next % 4}`);
    }
  };
  await putSome();
  await send(new SplitShardCommand({
    StreamName: name, ShardToSplit: root.ShardId,
    NewStartingHashKey: MIDDLE_HASH_KEY}));
  await putSome();
  await active(name);
  const children = (await shardsOf(name, "AT_LATEST"));
  assert.equal(children.length, 2);
  for (const child of children) {
    assert.equal(child.ParentShardId, root.ShardId);
  }
  await putSome();
  await send(new MergeShardsCommand({
    StreamName: name, ShardToMerge: children[0].ShardId,
    AdjacentShardToMerge: children[1].ShardId}));
  await active(name);
  await putSome();
  const all = await shardsOf(name);
  assert.equal(all.length, 4);
  const merged = all[3];
  assert.equal(merged.ParentShardId, children[0].ShardId);
  assert.equal(merged.AdjacentParentShardId, children[1].ShardId);
  assert.ok(all[0].SequenceNumberRange.EndingSequenceNumber);
  assert.equal(merged.SequenceNumberRange.EndingSequenceNumber, undefined);

  // Parents first, by what the shards' ends say.
  const values = [];
  const ended = [];
  const todo = [root.ShardId];
  while (todo.length) {
    const shard = todo.shift();
    const last = shard === merged.ShardId;
    const {records, answer} = await read(
        await iterator(name, shard, "TRIM_HORIZON"),
        last ? next - values.length : Infinity);
    values.push(...records.map((record) => [record.PartitionKey,
                                            Number(text(record.Data))]));
    if (last) break;
    assert.equal(answer.NextShardIterator, undefined);
    ended.push(shard);
    for (const child of answer.ChildShards) {
      assert.ok(child.ParentShards.includes(shard));
      assert.ok(child.HashKeyRange.EndingHashKey);
      if (child.ParentShards.every((parent) => ended.includes(parent))) {
        todo.push(child.ShardId);
      }
    }
  }
  assert.deepEqual(values.map(([, value]) => value).sort((a, b) => a - b),
                   Array.from({length: next}, (_, i) => i));
  const newest = new Map();
  for (const [key, value] of values) {
    assert.ok((newest.get(key) ?? -1) < value, `${key} came out of order`);
    newest.set(key, value);
  }
  // The subscription to the split shard ends with its children.
  const end = await lastEvent;
  assert.equal(end.ContinuationSequenceNumber, undefined);
  assert.deepEqual(end.ChildShards.map((child) => child.ShardId),
                   children.map((child) => child.ShardId));
}

async function keepsConsumers() {
  const names = ["one", "two", "three"];
  for (const name of names) await register(stream, name);
  await assert.rejects(send(new RegisterStreamConsumerCommand(
      {StreamARN: stream.StreamARN, ConsumerName: "one"})),
                       ResourceInUseException);
  const listed = [];
  for await (const page of paginateListStreamConsumers(
      {client: kinesis, pageSize: 2}, {StreamARN: stream.StreamARN})) {
    listed.push(...page.Consumers.map((consumer) => consumer.ConsumerName));
  }
  assert.deepEqual(listed.sort(), ["fan-out", ...names].sort());
  for (const name of names) {
    await send(new DeregisterStreamConsumerCommand(
        {StreamARN: stream.StreamARN, ConsumerName: name}));
  }
  await until("consumer one to be gone", () =>
      send(new DescribeStreamConsumerCommand(
          {StreamARN: stream.StreamARN, ConsumerName: "one"}))
          .then(() => false, (error) => {
            assert.ok(error instanceof ResourceNotFoundException, error);
            return true;
          }));
}

async function keepsTags() {
  await send(new AddTagsToStreamCommand(
      {StreamName: MAIN, Tags: {team: "données", tier: "1"}}));
  await send(new TagResourceCommand(
      {ResourceARN: stream.StreamARN, Tags: {tier: "2", empty: ""}}));
  const {Tags, HasMoreTags} = await send(
      new ListTagsForStreamCommand({StreamName: MAIN}));
  assert.equal(HasMoreTags, false);
  const byKey = (tags) => Object.fromEntries(
      tags.map(({Key, Value}) => [Key, Value]));
  assert.deepEqual(byKey(Tags), {team: "données", tier: "2", empty: ""});
  await send(new RemoveTagsFromStreamCommand(
      {StreamName: MAIN, TagKeys: ["team"]}));
  await send(new UntagResourceCommand(
      {ResourceARN: stream.StreamARN, TagKeys: ["empty"]}));
  const left = await send(new ListTagsForResourceCommand(
      {ResourceARN: stream.StreamARN}));
  assert.deepEqual(byKey(left.Tags), {tier: "2"});
}

async function changesRetention() {
  await send(new IncreaseStreamRetentionPeriodCommand(
      {StreamName: MAIN, RetentionPeriodHours: 48}));
  assert.equal((await active(MAIN)).RetentionPeriodHours, 48);
  await send(new DecreaseStreamRetentionPeriodCommand(
      {StreamName: MAIN, RetentionPeriodHours: 24}));
  assert.equal((await active(MAIN)).RetentionPeriodHours, 24);
  await assert.rejects(send(new DecreaseStreamRetentionPeriodCommand(
      {StreamName: MAIN, RetentionPeriodHours: 23})),
                       InvalidArgumentException);
}

async function switchesEnhancedMonitoring() {
  const metrics = ["IncomingBytes", "OutgoingBytes"];
  const on = await send(new EnableEnhancedMonitoringCommand(
      {StreamName: MAIN, ShardLevelMetrics: metrics}));
  assert.deepEqual(on.CurrentShardLevelMetrics, []);
  assert.deepEqual(on.DesiredShardLevelMetrics.sort(), metrics);
  const seen = await active(MAIN);
  assert.deepEqual(seen.EnhancedMonitoring[0].ShardLevelMetrics.sort(),
                   metrics);
  const off = await send(new DisableEnhancedMonitoringCommand(
      {StreamName: MAIN, ShardLevelMetrics: ["ALL"]}));
  assert.deepEqual(off.DesiredShardLevelMetrics, []);
  await active(MAIN);
}

async function switchesEncryption() {
  const key = {StreamName: MAIN, EncryptionType: "KMS",
               KeyId: "alias/aws/kinesis"};
  await send(new StartStreamEncryptionCommand(key));
  const on = await active(MAIN);
  assert.equal(on.EncryptionType, "KMS");
  assert.equal(on.KeyId, "alias/aws/kinesis");
  const answer = await put(MAIN, bytes("secret"), "encrypted", "0");
  assert.equal(answer.EncryptionType, "KMS");
  const {records} = await read(await iterator(
      MAIN, answer.ShardId, "AT_SEQUENCE_NUMBER",
      {StartingSequenceNumber: answer.SequenceNumber}), 1);
  assert.equal(text(records[0].Data), "secret");
  assert.equal(records[0].EncryptionType, "KMS");
  await send(new StopStreamEncryptionCommand(key));
  assert.equal((await active(MAIN)).EncryptionType, "NONE");
}

async function updatesTheShardCount() {
  const answer = await send(new UpdateShardCountCommand({
    StreamName: MAIN, TargetShardCount: 4, ScalingType: "UNIFORM_SCALING"}));
  assert.equal(answer.CurrentShardCount, 2);
  assert.equal(answer.TargetShardCount, 4);
  assert.equal((await active(MAIN)).OpenShardCount, 4);
  const open = await shardsOf(MAIN, "AT_LATEST");
  assert.equal(open.length, 4);
  await assert.rejects(send(new UpdateShardCountCommand({
    StreamName: MAIN, TargetShardCount: 9, ScalingType: "UNIFORM_SCALING"})),
                       (error) => error.name === "InvalidArgumentException" ||
                           error.name === "LimitExceededException");
}

async function hasOnDemandStreams() {
  const name = "compat-on-demand";
  await send(new CreateStreamCommand(
      {StreamName: name, StreamModeDetails: {StreamMode: "ON_DEMAND"}}));
  const created = await active(name);
  assert.equal(created.StreamModeDetails.StreamMode, "ON_DEMAND");
  assert.equal(created.OpenShardCount, 4);
  await assert.rejects(send(new SplitShardCommand({
    StreamName: name, ShardToSplit: "shardId-000000000000",
    NewStartingHashKey: "1000"})), ValidationException);
  await send(new UpdateStreamModeCommand(
      {StreamARN: created.StreamARN,
       StreamModeDetails: {StreamMode: "PROVISIONED"}}));
  const changed = await active(name);
  assert.equal(changed.StreamModeDetails.StreamMode, "PROVISIONED");
  assert.equal(changed.OpenShardCount, 4);
}

async function keepsResourcePolicies() {
  const ResourceARN = stream.StreamARN;
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{
      Sid: "reader", Effect: "Allow",
      Principal: {AWS: "arn:aws:iam::123456789012:root"},
      Action: ["kinesis:DescribeStreamSummary", "kinesis:GetRecords",
               "kinesis:GetShardIterator", "kinesis:ListShards"],
      Resource: ResourceARN,
    }],
  });
  await send(new PutResourcePolicyCommand({ResourceARN, Policy}));
  const got = await send(new GetResourcePolicyCommand({ResourceARN}));
  assert.deepEqual(JSON.parse(got.Policy), JSON.parse(Policy));
  await send(new DeleteResourcePolicyCommand({ResourceARN}));
  const empty = await send(new GetResourcePolicyCommand({ResourceARN}));
  assert.equal(empty.Policy, "{}");
}

async function throwsTypedErrors() {
  const rejects = async (command, type, ...parts) => {
    const error = await send(command).then(
        () => assert.fail(`${command.constructor.name} succeeded`),
        (thrown) => thrown);
    assert.ok(error instanceof type, `${error.name} is no ${type.name}: ` +
              error.message);
    assert.equal(error.$metadata.httpStatusCode, 400);
    assert.ok(error.$metadata.requestId);
    for (const part of parts) assert.match(error.message, part);
  };
  await rejects(new DescribeStreamSummaryCommand({StreamName: "absent"}),
                ResourceNotFoundException, /absent/);
  await rejects(new PutRecordCommand({StreamName: "absent", PartitionKey: "k",
                                      Data: bytes("x")}),
                ResourceNotFoundException, /absent/);
  await rejects(new CreateStreamCommand({StreamName: MAIN, ShardCount: 1}),
                ResourceInUseException, /compat-main/);
  await rejects(new GetRecordsCommand({ShardIterator: "AAAA"}),
                InvalidArgumentException);
  await rejects(new GetShardIteratorCommand({
    StreamName: MAIN, ShardId: "shardId-000000000000",
    ShardIteratorType: "AT_TIMESTAMP",
    Timestamp: new Date(Date.now() + 3_600_000)}), InvalidArgumentException);
  await rejects(new PutRecordCommand({
    StreamName: MAIN, PartitionKey: "k", Data: bytes("x"),
    ExplicitHashKey: (2n ** 128n).toString()}), InvalidArgumentException);
  await rejects(new DescribeStreamSummaryCommand({StreamName: "not a name"}),
                ValidationException, /streamName/);
  await rejects(new PutRecordCommand({
    StreamName: MAIN, PartitionKey: "k".repeat(257), Data: bytes("x")}),
                ValidationException, /partitionKey/);
}

async function pagesThroughLists() {
  const streams = [];
  let pages = 0;
  for await (const page of paginateListStreams(
      {client: kinesis, pageSize: 1}, {})) {
    ++pages;
    streams.push(...page.StreamNames);
    for (const each of page.StreamSummaries ?? []) {
      assertNow(each.StreamCreationTimestamp);
    }
  }
  assert.ok(pages >= 3);
  assert.deepEqual(streams,
                   ["compat-main", "compat-on-demand", "compat-reshard"]);
  // This SDK has no paginator for ListShards.
  const ids = [];
  let from = {StreamName: MAIN};
  while (from) {
    const page = await send(new ListShardsCommand({...from, MaxResults: 4}));
    assert.ok(page.Shards.length <= 4);
    ids.push(...page.Shards.map((shard) => shard.ShardId));
    from = page.NextToken && {NextToken: page.NextToken};
  }
  assert.deepEqual(ids, (await shardsOf(MAIN)).map((shard) => shard.ShardId));
  assert.equal(ids.length, 6);
}

async function isThrottledAndRetries() {
  const limited = process.env.TRIREME_LIMITED_URL;
  if (!limited || tls) return "not with this server";
  const name = "compat-throttled";
  const hasty = new KinesisClient({endpoint: limited, maxAttempts: 1});
  const patient = new KinesisClient({endpoint: limited, maxAttempts: 12});
  await patient.send(new CreateStreamCommand(
      {StreamName: name, ShardCount: 1}));
  await waitUntilStreamExists(
      {client: patient, maxWaitTime: 30, minDelay: 1, maxDelay: 1},
      {StreamName: name});
  const big = new PutRecordCommand({
    StreamName: name, PartitionKey: "big", Data: Buffer.alloc(1_000_000)});
  // A shard may take some MiB at once before its rate counts.
  let thrown;
  for (let i = 0; i < 40 && !thrown; ++i) {
    await hasty.send(big).catch((error) => { thrown = error; });
  }
  assert.ok(thrown instanceof ProvisionedThroughputExceededException,
            `${thrown}`);
  const batch = await hasty.send(new PutRecordsCommand({
    StreamName: name,
    Records: Array.from({length: 9}, () => ({
      PartitionKey: "big", Data: Buffer.alloc(1_000_000)}))}));
  assert.ok(batch.FailedRecordCount > 0);
  assert.equal(batch.Records.filter((entry) => entry.ErrorCode ===
                   "ProvisionedThroughputExceededException").length,
               batch.FailedRecordCount);
  let retries = 0;
  for (let i = 0; i < 4; ++i) {
    const answer = await patient.send(new PutRecordCommand({
      StreamName: name, PartitionKey: "big", Data: Buffer.alloc(500_000)}));
    retries += answer.$metadata.attempts - 1;
  }
  assert.ok(retries > 0, "nothing was retried");
}

async function deletesStreams() {
  await assert.rejects(send(new DeleteStreamCommand({StreamName: MAIN})),
                       ResourceInUseException);
  await send(new DeleteStreamCommand(
      {StreamName: MAIN, EnforceConsumerDeletion: true}));
  await waitUntilStreamNotExists(
      {client: kinesis, maxWaitTime: 30, minDelay: 1, maxDelay: 1},
      {StreamName: MAIN});
}

const steps = [
  createsAStreamAndWaits, putsRecords, readsByEveryIteratorType,
  subscribesToAShard, readsAcrossASplitAndAMerge, keepsConsumers, keepsTags,
  changesRetention, switchesEnhancedMonitoring, switchesEncryption,
  updatesTheShardCount, hasOnDemandStreams, keepsResourcePolicies,
  throwsTypedErrors, pagesThroughLists, isThrottledAndRetries,
  deletesStreams,
];
let failures = 0;
for (const step of steps) {
  const start = Date.now();
  try {
    const note = await step();
    console.log(`ok ${step.name} (${Date.now() - start} ms)` +
                (note ? `: ${note}` : ""));
  } catch (error) {
    ++failures;
    console.log(`FAILED ${step.name}: ${error.stack}`);
    if (!stream) break;
  }
}
// Sessions that subscriptions left open do not keep the program.
process.exit(failures ? 1 : 0);
