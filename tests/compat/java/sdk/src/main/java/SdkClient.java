import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.waiters.WaiterOverrideConfiguration;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.*;
import software.amazon.awssdk.services.kinesis.waiters.KinesisWaiter;

/**
 * The AWS SDK for Java v2 (CBOR). Its argument is the way to the server:
 * `async` (HTTP/2 by prior knowledge), `async-tls` (HTTP/2 by ALPN) or `sync`
 * (HTTP/1.1, no fan-out). The steps are the table of ../README.md.
 */
public final class SdkClient {
  private static final String MAIN = "compat-main";

  private record Put(String shard, String key, SdkBytes data) {}

  private interface Step {
    /** Nothing, or why it did not run. */
    String run() throws Exception;
  }

  private final String way;
  private final KinesisAsyncClient async;
  private final KinesisClient kinesis;
  private final Stream stream;
  private final List<Put> puts = new ArrayList<>();
  private String arn;

  private SdkClient(String way) {
    this.way = way;
    String endpoint = System.getenv(way.endsWith("tls") ? "TRIREME_TLS_URL"
                                                        : "AWS_ENDPOINT_URL");
    async = way.equals("sync") ? null : Clients.async(endpoint, 3);
    kinesis = async == null ? Clients.sync(endpoint, 3)
                            : Clients.waiting(async);
    stream = new Stream(kinesis, MAIN);
  }

  public static void main(String[] arguments) {
    SdkClient client = new SdkClient(arguments[0]);
    Map<String, Step> steps = new LinkedHashMap<>();
    steps.put("createsAStreamAndWaits", client::createsAStreamAndWaits);
    steps.put("putsRecords", client::putsRecords);
    steps.put("readsByEveryIteratorType", client::readsByEveryIteratorType);
    steps.put("subscribesToAShard", client::subscribesToAShard);
    steps.put("readsAcrossASplitAndAMerge",
              client::readsAcrossASplitAndAMerge);
    steps.put("keepsConsumers", client::keepsConsumers);
    steps.put("keepsTags", client::keepsTags);
    steps.put("changesRetention", client::changesRetention);
    steps.put("switchesEnhancedMonitoring",
              client::switchesEnhancedMonitoring);
    steps.put("switchesEncryption", client::switchesEncryption);
    steps.put("updatesTheShardCount", client::updatesTheShardCount);
    steps.put("hasOnDemandStreams", client::hasOnDemandStreams);
    steps.put("keepsResourcePolicies", client::keepsResourcePolicies);
    steps.put("throwsTypedErrors", client::throwsTypedErrors);
    steps.put("pagesThroughLists", client::pagesThroughLists);
    steps.put("isThrottledAndRetries", client::isThrottledAndRetries);
    steps.put("deletesStreams", client::deletesStreams);
    boolean failed = false;
    for (Map.Entry<String, Step> step : steps.entrySet()) {
      long start = System.nanoTime();
      try {
        String note = step.getValue().run();
        System.out.printf("ok %s (%d ms)%s%n", step.getKey(),
                          (System.nanoTime() - start) / 1_000_000,
                          note == null ? "" : ": " + note);
      } catch (Throwable error) {
        failed = true;
        System.out.println("FAILED " + step.getKey());
        error.printStackTrace(System.out);
        if (client.arn == null) break;
      }
    }
    System.exit(failed ? 1 : 0);
  }

  private WaiterOverrideConfiguration everySecond() {
    return WaiterOverrideConfiguration.builder()
        .maxAttempts(30)
        .backoffStrategyV2(
            BackoffStrategy.fixedDelayWithoutJitter(Duration.ofSeconds(1)))
        .build();
  }

  private Stream create(String name, int shards) {
    kinesis.createStream(
        request -> request.streamName(name).shardCount(shards));
    if (async != null) {
      try (var waiter = async.waiter()) {
        waiter.waitUntilStreamExists(request -> request.streamName(name),
                                     config -> config.maxAttempts(30)
                                         .backoffStrategyV2(BackoffStrategy
                                             .fixedDelayWithoutJitter(
                                                 Duration.ofSeconds(1))))
            .join();
      }
    } else {
      try (KinesisWaiter waiter = kinesis.waiter()) {
        waiter.waitUntilStreamExists(
            DescribeStreamRequest.builder().streamName(name).build(),
            everySecond());
      }
    }
    return new Stream(kinesis, name);
  }

  private String createsAStreamAndWaits() {
    StreamDescriptionSummary seen = create(MAIN, 2).summary();
    arn = seen.streamARN();
    Check.equal(seen.streamStatus(), StreamStatus.ACTIVE);
    Check.equal(seen.openShardCount(), 2);
    Check.equal(seen.retentionPeriodHours(), 24);
    Check.equal(seen.streamModeDetails().streamMode(),
                StreamMode.PROVISIONED);
    Check.isNow(seen.streamCreationTimestamp());
    StreamDescription described =
        kinesis.describeStream(request -> request.streamName(MAIN))
            .streamDescription();
    Check.isNow(described.streamCreationTimestamp());
    HashKeyRange range = described.shards().get(1).hashKeyRange();
    Check.equal(range.startingHashKey(), Stream.MIDDLE_HASH_KEY);
    Check.equal(range.endingHashKey(), Stream.HIGHEST_HASH_KEY);
    return null;
  }

  private String putsRecords() {
    String low = stream.shards().get(0).shardId();
    String high = stream.shards().get(1).shardId();
    Map<String, String> hashKeys =
        Map.of(low, "0", high, Stream.HIGHEST_HASH_KEY);
    byte[] everyByte = new byte[256];
    for (int i = 0; i < 256; ++i) everyByte[i] = (byte) i;
    puts.add(new Put(low, "empty", SdkBytes.fromByteArray(new byte[0])));
    puts.add(new Put(high, "binary", SdkBytes.fromByteArray(everyByte)));
    puts.add(new Put(low, "schlüssel-ключ-鍵-🗝",
                     SdkBytes.fromUtf8String("naïve ✓")));
    puts.add(new Put(high, "k".repeat(256),
                     SdkBytes.fromUtf8String("the longest key")));
    for (Put put : puts) {
      PutRecordResponse answer =
          stream.put(put.data(), put.key(), hashKeys.get(put.shard()));
      Check.equal(answer.shardId(), put.shard());
      Check.that(answer.sequenceNumber().matches("[1-9]\\d{0,128}"),
                 answer.sequenceNumber());
    }
    List<Put> batch = IntStream.range(0, 500)
                          .mapToObj(i
                                    -> new Put(i % 2 == 0 ? low : high,
                                               "batch-" + i,
                                               SdkBytes.fromUtf8String(
                                                   "record " + i)))
                          .toList();
    PutRecordsResponse answer = kinesis.putRecords(
        request
        -> request.streamName(MAIN).records(
            batch.stream()
                .map(put
                     -> PutRecordsRequestEntry.builder()
                            .data(put.data())
                            .partitionKey(put.key())
                            .explicitHashKey(hashKeys.get(put.shard()))
                            .build())
                .toList()));
    Check.equal(answer.failedRecordCount(), 0);
    Check.equal(
        answer.records().stream().map(entry -> entry.shardId()).toList(),
        batch.stream().map(Put::shard).toList());
    puts.addAll(batch);
    return null;
  }

  private static String shown(String key, SdkBytes data) {
    return key + " " + Arrays.toString(data.asByteArray());
  }

  private String readsByEveryIteratorType() throws Exception {
    for (Shard shard : stream.shards()) {
      List<String> expected = puts.stream()
                                  .filter(put -> put.shard().equals(
                                              shard.shardId()))
                                  .map(put -> shown(put.key(), put.data()))
                                  .sorted()
                                  .toList();
      var read = stream.read(stream.iterator(shard.shardId(),
                                             ShardIteratorType.TRIM_HORIZON),
                             expected.size());
      Check.equal(
          read.records().stream()
              .map(each -> shown(each.partitionKey(), each.data()))
              .sorted().toList(),
          expected);
      for (var each : read.records()) {
        Check.isNow(each.approximateArrivalTimestamp());
        Check.equal(each.encryptionType(), null);
      }
    }
    Shard first = stream.shards().get(0);
    String shard = first.shardId();
    String latest = stream.iterator(shard, ShardIteratorType.LATEST);
    List<String> numbers = new ArrayList<>();
    for (int i = 0; i < 4; ++i) {
      if (i == 2) Thread.sleep(1100);
      numbers.add(stream.put("r" + i, "five", "0").sequenceNumber());
    }
    List<String> all = List.of("r0", "r1", "r2", "r3");
    Check.equal(stream.read(latest, 4).texts(), all);
    // An iterator is a position: a retry reads the same.
    Check.equal(stream.read(latest, 4).texts(), all);
    String at = stream.iteratorAt(
        shard, ShardIteratorType.AT_SEQUENCE_NUMBER, numbers.get(2));
    Check.equal(stream.read(at, 2).texts(), all.subList(2, 4));
    String after = stream.iteratorAt(
        shard, ShardIteratorType.AFTER_SEQUENCE_NUMBER, numbers.get(2));
    Check.equal(stream.read(after, 1).texts(), all.subList(3, 4));
    Instant arrival =
        stream.read(at, 1).records().get(0).approximateArrivalTimestamp();
    String since =
        stream.iterator(shard, ShardIteratorType.AT_TIMESTAMP,
                        request -> request.timestamp(arrival));
    Check.equal(stream.read(since, 2).texts(), all.subList(2, 4));
    stream.iteratorAt(shard, ShardIteratorType.AT_SEQUENCE_NUMBER,
                      first.sequenceNumberRange().startingSequenceNumber());
    return null;
  }

  private static StartingPosition from(ShardIteratorType type) {
    return StartingPosition.builder().type(type).build();
  }

  private String subscribesToAShard() throws Exception {
    String consumer = stream.register("fan-out");
    if (async == null) return "the sync client has no SubscribeToShard";
    String low = stream.shards().get(0).shardId();
    String high = stream.shards().get(1).shardId();
    Events events = new Events(async, consumer, low,
                               from(ShardIteratorType.LATEST));
    Check.fails(ResourceInUseException.class,
                () -> new Events(async, consumer, low,
                                 from(ShardIteratorType.LATEST)));
    Map<String, Long> sent = new ConcurrentHashMap<>();
    Thread sender = new Thread(() -> {
      for (int i = 0; i < 11; ++i) {
        try {
          Thread.sleep(100);
        } catch (InterruptedException error) {
          return;
        }
        sent.put("push " + i, System.nanoTime());
        stream.put("push " + i, "push", "0");
      }
    });
    sender.start();
    List<Double> latencies = new ArrayList<>();
    String continuation = null;
    while (latencies.size() < 11) {
      SubscribeToShardEvent event = events.next();
      Check.that(event.continuationSequenceNumber() != null,
                 "an event without a continuation");
      Check.that(event.millisBehindLatest() >= 0, "ahead of the latest");
      continuation = event.continuationSequenceNumber();
      for (var each : event.records()) {
        long start = sent.get(each.data().asUtf8String());
        latencies.add((System.nanoTime() - start) / 1e6);
        Check.isNow(each.approximateArrivalTimestamp());
      }
    }
    events.cancel();
    sender.join();
    Collections.sort(latencies);
    System.out.printf("  put to push: median %.1f ms, most %.1f ms%n",
                      latencies.get(5), latencies.get(10));
    Check.that(latencies.get(5) < 1000, "a median of 1 s or more");
    // The other shard from its start: not LATEST only.
    long expected =
        puts.stream().filter(put -> put.shard().equals(high)).count();
    events = new Events(async, consumer, high,
                        from(ShardIteratorType.TRIM_HORIZON));
    long seen = 0;
    while (seen < expected) seen += events.next().records().size();
    events.cancel();
    Check.equal(seen, expected);
    stream.iteratorAt(low, ShardIteratorType.AFTER_SEQUENCE_NUMBER,
                      continuation);
    return null;
  }

  private int putSome(Stream target, int start) {
    for (int i = start; i < start + 10; ++i) {
      target.put("" + i, "key-" + i % 4, null);  // Both sides of the middle.
    }
    return start + 10;
  }

  private String readsAcrossASplitAndAMerge() throws Exception {
    Stream reshard = create("compat-reshard", 1);
    String root = reshard.shards().get(0).shardId();
    Events events = null;
    if (async != null) {
      events = new Events(async, reshard.register("across"), root,
                          from(ShardIteratorType.TRIM_HORIZON));
    }
    int count = putSome(reshard, 0);
    kinesis.splitShard(request
                       -> request.streamName(reshard.name())
                              .shardToSplit(root)
                              .newStartingHashKey(Stream.MIDDLE_HASH_KEY));
    count = putSome(reshard, count);
    reshard.active();
    List<Shard> children = reshard.openShards();
    Check.equal(children.stream().map(Shard::parentShardId).toList(),
                List.of(root, root));
    List<String> ids = children.stream().map(Shard::shardId).toList();
    count = putSome(reshard, count);
    kinesis.mergeShards(request
                        -> request.streamName(reshard.name())
                               .shardToMerge(ids.get(0))
                               .adjacentShardToMerge(ids.get(1)));
    reshard.active();
    count = putSome(reshard, count);
    List<Shard> shards = reshard.shards();
    Check.equal(shards.size(), 4);
    Check.equal(shards.get(3).parentShardId(), ids.get(0));
    Check.equal(shards.get(3).adjacentParentShardId(), ids.get(1));
    Check.that(shards.get(0).sequenceNumberRange().endingSequenceNumber()
                   != null, "a closed shard without an end");
    Check.that(shards.get(3).sequenceNumberRange().endingSequenceNumber()
                   == null, "an open shard with an end");
    checkInOrder(readParentsFirst(reshard, root, count), count);
    if (events == null) return "without fan-out";
    // The subscription to the split shard ends with its children.
    SubscribeToShardEvent end = events.last();
    Check.equal(end.continuationSequenceNumber(), null);
    Check.equal(end.childShards().stream().map(ChildShard::shardId).toList(),
                ids);
    return null;
  }

  /** Every record, in the order that the ends of the shards give. */
  private List<software.amazon.awssdk.services.kinesis.model.Record>
      readParentsFirst(Stream from, String root, int count)
      throws Exception {
    List<software.amazon.awssdk.services.kinesis.model.Record> records =
        new ArrayList<>();
    List<String> ended = new ArrayList<>();
    Deque<String> todo = new ArrayDeque<>(List.of(root));
    while (true) {
      String shard = todo.remove();
      boolean last = todo.isEmpty() && ended.size() == 3;
      var read = from.read(
          from.iterator(shard, ShardIteratorType.TRIM_HORIZON),
          last ? count - records.size() : Integer.MAX_VALUE);
      records.addAll(read.records());
      if (last) return records;
      Check.equal(read.answer().nextShardIterator(), null);
      ended.add(shard);
      for (ChildShard child : read.answer().childShards()) {
        Check.that(child.parentShards().contains(shard), "not its child");
        Check.that(child.hashKeyRange().endingHashKey() != null,
                   "a child without a range");
        if (ended.containsAll(child.parentShards())) {
          todo.add(child.shardId());
        }
      }
    }
  }

  private void checkInOrder(
      List<software.amazon.awssdk.services.kinesis.model.Record> records,
      int count) {
    Map<String, Integer> newest = new HashMap<>();
    List<Integer> values = new ArrayList<>();
    for (var each : records) {
      int value = Integer.parseInt(each.data().asUtf8String());
      values.add(value);
      Integer before = newest.put(each.partitionKey(), value);
      Check.that(before == null || before < value,
                 each.partitionKey() + " came out of order");
    }
    Collections.sort(values);
    Check.equal(values, IntStream.range(0, count).boxed().toList());
  }

  private String keepsConsumers() throws Exception {
    List<String> names = List.of("one", "two", "three");
    for (String name : names) stream.register(name);
    Check.fails(ResourceInUseException.class,
                ()
                    -> kinesis.registerStreamConsumer(
                        request -> request.streamARN(arn).consumerName("one")));
    List<String> listed = new ArrayList<>();
    kinesis.listStreamConsumersPaginator(
               request -> request.streamARN(arn).maxResults(2))
        .stream()
        .flatMap(page -> page.consumers().stream())
        .forEach(each -> listed.add(each.consumerName()));
    Collections.sort(listed);
    Check.equal(listed, List.of("fan-out", "one", "three", "two"));
    for (String name : names) {
      kinesis.deregisterStreamConsumer(
          request -> request.streamARN(arn).consumerName(name));
    }
    Check.until("consumer one to be gone", () -> {
      try {
        kinesis.describeStreamConsumer(
            request -> request.streamARN(arn).consumerName("one"));
        return false;
      } catch (ResourceNotFoundException error) {
        return true;
      }
    });
    return null;
  }

  private static Map<String, String> byKey(List<Tag> tags) {
    return tags.stream().collect(Collectors.toMap(Tag::key, Tag::value));
  }

  private String keepsTags() {
    kinesis.addTagsToStream(
        request -> request.streamName(MAIN).tags(
            Map.of("team", "données", "tier", "1")));
    kinesis.tagResource(request -> request.resourceARN(arn).tags(
                            Map.of("tier", "2", "empty", "")));
    var listed =
        kinesis.listTagsForStream(request -> request.streamName(MAIN));
    Check.equal(listed.hasMoreTags(), false);
    Check.equal(byKey(listed.tags()),
                Map.of("team", "données", "tier", "2", "empty", ""));
    kinesis.removeTagsFromStream(
        request -> request.streamName(MAIN).tagKeys("team"));
    kinesis.untagResource(
        request -> request.resourceARN(arn).tagKeys("empty"));
    Check.equal(byKey(kinesis
                          .listTagsForResource(
                              request -> request.resourceARN(arn))
                          .tags()),
                Map.of("tier", "2"));
    return null;
  }

  private String changesRetention() throws Exception {
    kinesis.increaseStreamRetentionPeriod(
        request -> request.streamName(MAIN).retentionPeriodHours(48));
    Check.equal(stream.active().retentionPeriodHours(), 48);
    kinesis.decreaseStreamRetentionPeriod(
        request -> request.streamName(MAIN).retentionPeriodHours(24));
    Check.equal(stream.active().retentionPeriodHours(), 24);
    Check.fails(InvalidArgumentException.class,
                ()
                    -> kinesis.decreaseStreamRetentionPeriod(
                        request -> request.streamName(MAIN)
                                       .retentionPeriodHours(23)));
    return null;
  }

  private String switchesEnhancedMonitoring() throws Exception {
    MetricsName[] metrics = {MetricsName.INCOMING_BYTES,
                             MetricsName.OUTGOING_BYTES};
    var on = kinesis.enableEnhancedMonitoring(
        request -> request.streamName(MAIN).shardLevelMetrics(metrics));
    Check.equal(on.currentShardLevelMetrics(), List.of());
    Check.equal(on.desiredShardLevelMetrics().stream().sorted().toList(),
                List.of(metrics));
    Check.equal(stream.active().enhancedMonitoring().get(0)
                    .shardLevelMetrics().stream().sorted().toList(),
                List.of(metrics));
    var off = kinesis.disableEnhancedMonitoring(
        request -> request.streamName(MAIN).shardLevelMetrics(
            MetricsName.ALL));
    Check.equal(off.desiredShardLevelMetrics(), List.of());
    stream.active();
    return null;
  }

  private String switchesEncryption() throws Exception {
    String key = "alias/aws/kinesis";
    kinesis.startStreamEncryption(
        request -> request.streamName(MAIN).keyId(key).encryptionType(
            EncryptionType.KMS));
    StreamDescriptionSummary on = stream.active();
    Check.equal(on.encryptionType(), EncryptionType.KMS);
    Check.equal(on.keyId(), key);
    PutRecordResponse answer = stream.put("secret", "encrypted", "0");
    Check.equal(answer.encryptionType(), EncryptionType.KMS);
    var read = stream.read(
        stream.iteratorAt(answer.shardId(),
                          ShardIteratorType.AT_SEQUENCE_NUMBER,
                          answer.sequenceNumber()), 1);
    Check.equal(read.texts(), List.of("secret"));
    Check.equal(read.records().get(0).encryptionType(), EncryptionType.KMS);
    kinesis.stopStreamEncryption(
        request -> request.streamName(MAIN).keyId(key).encryptionType(
            EncryptionType.KMS));
    Check.equal(stream.active().encryptionType(), EncryptionType.NONE);
    return null;
  }

  private String updatesTheShardCount() throws Exception {
    var answer = kinesis.updateShardCount(
        request -> request.streamName(MAIN).targetShardCount(4).scalingType(
            ScalingType.UNIFORM_SCALING));
    Check.equal(answer.currentShardCount(), 2);
    Check.equal(answer.targetShardCount(), 4);
    Check.equal(stream.active().openShardCount(), 4);
    Check.equal(stream.openShards().size(), 4);
    return null;
  }

  private String hasOnDemandStreams() throws Exception {
    Stream onDemand = new Stream(kinesis, "compat-on-demand");
    kinesis.createStream(
        request -> request.streamName(onDemand.name()).streamModeDetails(
            mode -> mode.streamMode(StreamMode.ON_DEMAND)));
    StreamDescriptionSummary created = onDemand.active();
    Check.equal(created.streamModeDetails().streamMode(),
                StreamMode.ON_DEMAND);
    Check.equal(created.openShardCount(), 4);
    Check.fails(ValidationException.class,
                ()
                    -> kinesis.splitShard(
                        request -> request.streamName(onDemand.name())
                                       .shardToSplit("shardId-000000000000")
                                       .newStartingHashKey("1000")));
    kinesis.updateStreamMode(
        request -> request.streamARN(created.streamARN()).streamModeDetails(
            mode -> mode.streamMode(StreamMode.PROVISIONED)));
    StreamDescriptionSummary changed = onDemand.active();
    Check.equal(changed.streamModeDetails().streamMode(),
                StreamMode.PROVISIONED);
    Check.equal(changed.openShardCount(), 4);
    return null;
  }

  private String keepsResourcePolicies() {
    String policy = ("{'Version':'2012-10-17','Statement':[{'Sid':'reader',"
                     + "'Effect':'Allow','Principal':"
                     + "{'AWS':'arn:aws:iam::123456789012:root'},"
                     + "'Action':['kinesis:DescribeStreamSummary',"
                     + "'kinesis:GetRecords','kinesis:GetShardIterator',"
                     + "'kinesis:ListShards'],'Resource':'" + arn + "'}]}")
                        .replace('\'', '"');
    kinesis.putResourcePolicy(
        request -> request.resourceARN(arn).policy(policy));
    Check.equal(kinesis.getResourcePolicy(request -> request.resourceARN(arn))
                    .policy(), policy);
    kinesis.deleteResourcePolicy(request -> request.resourceARN(arn));
    Check.equal(kinesis.getResourcePolicy(request -> request.resourceARN(arn))
                    .policy(), "{}");
    return null;
  }

  private String throwsTypedErrors() {
    var absent = Check.fails(ResourceNotFoundException.class,
                             ()
                                 -> kinesis.describeStreamSummary(
                                     request -> request.streamName("absent")));
    Check.that(absent.getMessage().contains("absent"), absent.getMessage());
    Check.fails(ResourceNotFoundException.class,
                () -> new Stream(kinesis, "absent").put("x", "k", null));
    Check.fails(ResourceInUseException.class,
                ()
                    -> kinesis.createStream(
                        request -> request.streamName(MAIN).shardCount(1)));
    Check.fails(InvalidArgumentException.class,
                () -> kinesis.getRecords(
                    request -> request.shardIterator("AAAA")));
    Check.fails(InvalidArgumentException.class,
                ()
                    -> stream.iterator("shardId-000000000000",
                                       ShardIteratorType.AT_TIMESTAMP,
                                       request -> request.timestamp(
                                           Instant.now().plusSeconds(3600))));
    Check.fails(InvalidArgumentException.class,
                () -> stream.put("x", "k",
                                 BigInteger.TWO.pow(128).toString()));
    Check.fails(ValidationException.class,
                () -> new Stream(kinesis, "not a name").summary());
    Check.fails(ValidationException.class,
                () -> stream.put("x", "k".repeat(257), null));
    return null;
  }

  private String pagesThroughLists() throws Exception {
    List<String> streams = new ArrayList<>();
    if (async == null) {
      kinesis.listStreamsPaginator(request -> request.limit(1))
          .streamNames().forEach(streams::add);
    } else {
      async.listStreamsPaginator(request -> request.limit(1))
          .streamNames().subscribe(streams::add).get();
    }
    Check.equal(streams,
                List.of("compat-main", "compat-on-demand", "compat-reshard"));
    for (StreamSummary each :
         kinesis.listStreams(request -> {}).streamSummaries()) {
      Check.isNow(each.streamCreationTimestamp());
    }
    List<String> ids = new ArrayList<>();
    String token = null;
    do {
      String next = token;
      ListShardsResponse page = kinesis.listShards(
          request
          -> request.streamName(next == null ? MAIN : null)
                 .nextToken(next)
                 .maxResults(4));
      Check.that(page.shards().size() <= 4, "a page of more than 4");
      page.shards().forEach(shard -> ids.add(shard.shardId()));
      token = page.nextToken();
    } while (token != null);
    Check.equal(ids, stream.shards().stream().map(Shard::shardId).toList());
    Check.equal(ids.size(), 6);
    return null;
  }

  private String isThrottledAndRetries() throws Exception {
    String limited = System.getenv("TRIREME_LIMITED_URL");
    if (limited.isEmpty()) return "not with this server";
    String name = "compat-throttled";
    Stream hasty = new Stream(throttled(limited, 1), name);
    Stream patient = new Stream(throttled(limited, 12), name);
    patient.kinesis().createStream(
        request -> request.streamName(name).shardCount(1));
    patient.active();
    SdkBytes big = SdkBytes.fromByteArray(new byte[1_000_000]);
    Check.fails(ProvisionedThroughputExceededException.class, () -> {
      // A shard may take some MiB at once before its rate counts.
      for (int i = 0; i < 40; ++i) hasty.put(big, "big", null);
      return null;
    });
    PutRecordsResponse batch = hasty.kinesis().putRecords(
        request
        -> request.streamName(name).records(Collections.nCopies(
            9, PutRecordsRequestEntry.builder()
                   .partitionKey("big").data(big).build())));
    Check.that(batch.failedRecordCount() > 0, "a batch was not throttled");
    Check.equal(batch.records().stream()
                    .filter(entry -> "ProvisionedThroughputExceededException"
                                         .equals(entry.errorCode()))
                    .count(),
                (long) batch.failedRecordCount());
    int before = Clients.sent.get();
    SdkBytes half = SdkBytes.fromByteArray(new byte[500_000]);
    for (int i = 0; i < 4; ++i) patient.put(half, "big", null);
    Check.that(Clients.sent.get() > before + 4, "nothing was retried");
    return null;
  }

  private KinesisClient throttled(String endpoint, int attempts) {
    return async == null
        ? Clients.sync(endpoint, attempts)
        : Clients.waiting(Clients.async(endpoint, attempts));
  }

  private String deletesStreams() throws Exception {
    Check.fails(ResourceInUseException.class,
                () -> kinesis.deleteStream(
                    request -> request.streamName(MAIN)));
    kinesis.deleteStream(request -> request.streamName(MAIN)
                                        .enforceConsumerDeletion(true));
    try (KinesisWaiter waiter =
             KinesisWaiter.builder().client(kinesis).build()) {
      waiter.waitUntilStreamNotExists(
          DescribeStreamRequest.builder().streamName(MAIN).build(),
          everySecond());
    }
    return null;
  }
}
