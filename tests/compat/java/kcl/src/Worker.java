import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.SdkHttpConfigurationOption;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.utils.AttributeMap;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.RetrievalConfig;
import software.amazon.kinesis.retrieval.fanout.FanOutConfig;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/**
 * One worker of a KCL application, compiled against KCL 2 and KCL 3. Prints
 * what happens to it, one event a line: the time in ms, the event, the shard,
 * and for a record its data.
 *
 *     Worker STREAM WORKER polling|fan-out
 */
public final class Worker implements ShardRecordProcessor {
  // Standard output is only ours: nothing of the libraries' comes between.
  private static final PrintStream events =
      new PrintStream(System.out, true, StandardCharsets.UTF_8);

  private String shard;

  public static void main(String[] arguments) {
    String stream = arguments[0];
    String worker = arguments[1];
    String retrieves = arguments[2];
    String application = stream + "-" + retrieves;
    URI plain = URI.create(System.getenv("AWS_ENDPOINT_URL"));
    KinesisAsyncClient kinesis = kinesis();
    ConfigsBuilder configs = new ConfigsBuilder(
        new SingleStreamTracker(
            stream, InitialPositionInStreamExtended.newInitialPosition(
                        InitialPositionInStream.TRIM_HORIZON)),
        application, kinesis,
        DynamoDbAsyncClient.builder().endpointOverride(dynamo(plain)).build(),
        CloudWatchAsyncClient.builder().endpointOverride(plain).build(),
        worker, Worker::new);
    RetrievalConfig retrieval = configs.retrievalConfig();
    if (retrieves.equals("polling")) {
      retrieval.retrievalSpecificConfig(
          new PollingConfig(stream, kinesis)
              .idleTimeBetweenReadsInMillis(250));
    } else {
      retrieval.retrievalSpecificConfig(
          new FanOutConfig(kinesis).streamName(stream).applicationName(
              application));
    }
    Scheduler scheduler = new Scheduler(
        configs.checkpointConfig(),
        configs.coordinatorConfig().parentShardPollIntervalMillis(500),
        quick(configs.leaseManagementConfig()),
        configs.lifecycleConfig(),
        configs.metricsConfig().metricsBufferTimeMillis(2000),
        configs.processorConfig(), retrieval);
    scheduler.run();
  }

  /** Kinesis by HTTP/2 over TLS, as the KCL sets up its own client. */
  private static KinesisAsyncClient kinesis() {
    SdkAsyncHttpClient http =
        NettyNioAsyncHttpClient.builder()
            .protocol(Protocol.HTTP2)
            .maxConcurrency(Integer.MAX_VALUE)
            .buildWithDefaults(
                AttributeMap.builder()
                    .put(SdkHttpConfigurationOption.TRUST_ALL_CERTIFICATES,
                         true)
                    .build());
    return KinesisAsyncClient.builder()
        .httpClient(http)
        .endpointOverride(URI.create(System.getenv("TRIREME_TLS_URL")))
        .build();
  }

  /** The leases' table; elsewhere only while working on this program. */
  private static URI dynamo(URI plain) {
    String other = System.getenv("COMPAT_DYNAMODB_URL");
    return other == null ? plain : URI.create(other);
  }

  /** Everything that waits by default for 10 s and more, shorter. */
  private static LeaseManagementConfig quick(LeaseManagementConfig leases) {
    leases.failoverTimeMillis(3000)
        .shardSyncIntervalMillis(1000)
        .maxLeasesToStealAtOneTime(4)
        .listShardsCacheAllowedAgeInSeconds(1)
        .leasesRecoveryAuditorExecutionFrequencyMillis(2000)
        .leasesRecoveryAuditorInconsistencyConfidenceThreshold(1);
    // Only KCL 3 elects a leader that assigns and balances.
    set(leases, "dynamoDbLockBasedLeaderLeaseDurationInMillis", 4000L);
    set(leases, "dynamoDbLockBasedLeaderHeartbeatPeriodInMillis", 1000L);
    Object balance = get(leases, "workerUtilizationAwareAssignmentConfig");
    if (balance != null) {
      set(balance, "inMemoryWorkerMetricsCaptureFrequencyMillis", 500L);
      set(balance, "workerMetricsReporterFreqInMillis", 1000L);
      set(balance, "varianceBalancingFrequency", 1);
    }
    return leases;
  }

  private static Object get(Object config, String name) {
    try {
      return config.getClass().getMethod(name).invoke(config);
    } catch (NoSuchMethodException error) {
      return null;
    } catch (ReflectiveOperationException error) {
      throw new IllegalStateException(name, error);
    }
  }

  private static void set(Object config, String name, Number value) {
    Class<?> type = value instanceof Long ? long.class : int.class;
    try {
      config.getClass().getMethod(name, type).invoke(config, value);
    } catch (NoSuchMethodException error) {
      return;
    } catch (ReflectiveOperationException error) {
      throw new IllegalStateException(name, error);
    }
  }

  private void print(String event, String more) {
    events.println(System.currentTimeMillis() + " " + event + " " + shard
                   + more);
  }

  @Override
  public void initialize(InitializationInput input) {
    shard = input.shardId();
    print("START", "");
  }

  @Override
  public void processRecords(ProcessRecordsInput input) {
    for (KinesisClientRecord each : input.records()) {
      print("RECORD", " " + StandardCharsets.UTF_8.decode(
                                each.data().duplicate()));
    }
    checkpoint(input.checkpointer());
  }

  @Override
  public void leaseLost(LeaseLostInput input) {
    print("LOST", "");
  }

  @Override
  public void shardEnded(ShardEndedInput input) {
    print("END", "");
    checkpoint(input.checkpointer());
  }

  @Override
  public void shutdownRequested(ShutdownRequestedInput input) {
    print("SHUTDOWN", "");
    checkpoint(input.checkpointer());
  }

  private void checkpoint(RecordProcessorCheckpointer checkpointer) {
    try {
      checkpointer.checkpoint();
    } catch (ShutdownException error) {
      print("LOST", "");  // The lease is another worker's already.
    } catch (InvalidStateException error) {
      throw new IllegalStateException(error);
    }
  }
}
