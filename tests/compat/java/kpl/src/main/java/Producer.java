import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.SdkHttpConfigurationOption;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.model.GetRecordsResponse;
import software.amazon.awssdk.services.kinesis.model.Shard;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;
import software.amazon.awssdk.utils.AttributeMap;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;
import software.amazon.kinesis.producer.UserRecordResult;
import software.amazon.kinesis.retrieval.AggregatorUtil;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/**
 * The KPL puts records, aggregated and not, over TLS; the KCL's de-aggregation
 * finds each of them, in the shard that the KPL was told. The argument is the
 * metrics level: `none`, or `detailed` with uploads to the same endpoint.
 */
public final class Producer {
  private static final String STREAM = "compat-kpl";
  private static final int SHARDS = 4;
  private static final int RECORDS = 20_000;
  private static final int KEYS = 500;
  private static final String UPLOAD_FAILED = "Metrics upload failed";

  /** What a user put: its key, its data, the shard that it is said to be in. */
  private record Put(String key, byte[] data,
                     Future<UserRecordResult> result) {}

  private Producer() {}

  public static void main(String[] arguments) throws Exception {
    Path log = Path.of(System.getenv("COMPAT_FOLDER"), "kpl.log");
    System.setProperty("org.slf4j.simpleLogger.logFile", log.toString());
    boolean metrics = !arguments[0].equals("none");
    try {
      run(arguments[0], metrics);
      String said = Files.readString(log);
      check(!said.contains(UPLOAD_FAILED), UPLOAD_FAILED);
      System.out.println("ok");
    } catch (Throwable error) {
      error.printStackTrace(System.out);
      List<String> lines = Files.readAllLines(log);
      lines.subList(Math.max(0, lines.size() - 60), lines.size())
          .forEach(System.out::println);
      System.exit(1);
    }
    System.exit(0);
  }

  private static void check(boolean holds, String what) {
    if (!holds) throw new AssertionError(what);
  }

  private static void run(String level, boolean metrics) throws Exception {
    KinesisAsyncClient kinesis = client();
    kinesis.createStream(request -> request.streamName(STREAM).shardCount(
        SHARDS)).join();
    try (var waiter = kinesis.waiter()) {
      waiter.waitUntilStreamExists(request -> request.streamName(STREAM))
          .join();
    }
    KinesisProducer producer = new KinesisProducer(settings(level));
    long start = System.nanoTime();
    List<Put> puts = putAll(producer);
    producer.flushSync();
    System.out.printf("  %d records in %d ms%n", puts.size(),
                      (System.nanoTime() - start) / 1_000_000);
    Map<String, Put> byContent = new HashMap<>();
    Map<String, String> shards = new HashMap<>();
    for (Put put : puts) {
      UserRecordResult result = put.result().get(30, TimeUnit.SECONDS);
      check(result.isSuccessful(), "a record was not put");
      byContent.put(content(put.key(), put.data()), put);
      shards.put(content(put.key(), put.data()), result.getShardId());
    }
    check(byContent.size() == puts.size(), "two records are the same");
    // Past the upload delay, and the calls that follow it.
    if (metrics) Thread.sleep(4000);
    producer.destroy();

    int read = 0;
    int stored = 0;
    for (Shard shard : kinesis.listShards(request -> request.streamName(
             STREAM)).join().shards()) {
      List<KinesisClientRecord> records = readShard(kinesis, shard);
      stored += records.size();
      for (KinesisClientRecord each : new AggregatorUtil().deaggregate(
               records, shard.hashKeyRange().startingHashKey(),
               shard.hashKeyRange().endingHashKey())) {
        byte[] data = new byte[each.data().remaining()];
        each.data().duplicate().get(data);
        String content = content(each.partitionKey(), data);
        check(byContent.remove(content) != null,
              "never put, or put twice: " + each.partitionKey());
        check(shard.shardId().equals(shards.get(content)),
              each.partitionKey() + " is in " + shard.shardId()
                  + ", the producer was told " + shards.get(content));
        ++read;
      }
    }
    check(byContent.isEmpty(), byContent.size() + " records are lost");
    System.out.printf("  %d records read, stored as %d%n", read, stored);
    check(stored < read / 10, "they were not aggregated");
  }

  private static KinesisAsyncClient client() {
    SdkAsyncHttpClient http = NettyNioAsyncHttpClient.builder()
        .buildWithDefaults(AttributeMap.builder()
            .put(SdkHttpConfigurationOption.TRUST_ALL_CERTIFICATES, true)
            .build());
    return KinesisAsyncClient.builder()
        .httpClient(http)
        .endpointOverride(URI.create(System.getenv("TRIREME_TLS_URL")))
        .build();
  }

  private static KinesisProducerConfiguration settings(String level) {
    URI endpoint = URI.create(System.getenv("TRIREME_TLS_URL"));
    KinesisProducerConfiguration settings =
        new KinesisProducerConfiguration()
            .setKinesisEndpoint(endpoint.getHost())
            .setKinesisPort(endpoint.getPort())
            .setCloudwatchEndpoint(endpoint.getHost())
            .setCloudwatchPort(endpoint.getPort())
            .setVerifyCertificate(false)
            .setRegion(System.getenv("AWS_REGION"))
            .setCredentialsProvider(
                EnvironmentVariableCredentialsProvider.create())
            .setMetricsLevel(level)
            .setTempDirectory(System.getenv("COMPAT_FOLDER"));
    return level.equals("none") ? settings
                                : settings.setMetricsUploadDelay(1000);
  }

  private static List<Put> putAll(KinesisProducer producer)
      throws InterruptedException {
    List<Put> puts = new ArrayList<>();
    byte[] everyByte = new byte[256];
    for (int i = 0; i < 256; ++i) everyByte[i] = (byte) i;
    add(puts, producer, "binary", everyByte);
    add(puts, producer, "schlüssel-ключ-鍵-🗝", bytes("naïve ✓"));
    // Too large to be aggregated.
    add(puts, producer, "large", new byte[200_000]);
    // Until the KPL knows the shards it sends each record by itself.
    producer.flushSync();
    for (int i = 0; i < RECORDS; ++i) {
      // The KPL has no bound of its own.
      while (producer.getOutstandingRecordsCount() > 10_000) Thread.sleep(1);
      add(puts, producer, "key-" + i % KEYS, bytes("record " + i));
    }
    return puts;
  }

  private static void add(List<Put> puts, KinesisProducer producer,
                          String key, byte[] data) {
    puts.add(new Put(key, data, producer.addUserRecord(
                                    STREAM, key, ByteBuffer.wrap(data))));
  }

  private static List<KinesisClientRecord> readShard(
      KinesisAsyncClient kinesis, Shard shard) {
    List<KinesisClientRecord> records = new ArrayList<>();
    String position =
        kinesis.getShardIterator(
                   request
                   -> request.streamName(STREAM)
                          .shardId(shard.shardId())
                          .shardIteratorType(ShardIteratorType.TRIM_HORIZON))
            .join().shardIterator();
    // To the tip: empty, and nothing behind.
    while (true) {
      String from = position;
      GetRecordsResponse answer =
          kinesis.getRecords(request -> request.shardIterator(from)).join();
      answer.records().forEach(
          each -> records.add(KinesisClientRecord.fromRecord(each)));
      if (answer.records().isEmpty() && answer.millisBehindLatest() == 0) {
        return records;
      }
      position = answer.nextShardIterator();
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String content(String key, byte[] data) {
    return key + " " + new String(data, StandardCharsets.ISO_8859_1);
  }
}
