import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.ConsumerStatus;
import software.amazon.awssdk.services.kinesis.model.GetRecordsResponse;
import software.amazon.awssdk.services.kinesis.model.GetShardIteratorRequest;
import software.amazon.awssdk.services.kinesis.model.PutRecordResponse;
import software.amazon.awssdk.services.kinesis.model.Record;
import software.amazon.awssdk.services.kinesis.model.Shard;
import software.amazon.awssdk.services.kinesis.model.ShardFilterType;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;
import software.amazon.awssdk.services.kinesis.model.StreamDescriptionSummary;
import software.amazon.awssdk.services.kinesis.model.StreamStatus;

/** One stream as the steps use it. */
record Stream(KinesisClient kinesis, String name) {
  static final String HIGHEST_HASH_KEY =
      BigInteger.TWO.pow(128).subtract(BigInteger.ONE).toString();
  static final String MIDDLE_HASH_KEY = BigInteger.TWO.pow(127).toString();

  /** Records of one reading, and the last answer. */
  record Read(List<Record> records, GetRecordsResponse answer) {
    List<String> texts() {
      return records.stream().map(each -> each.data().asUtf8String()).toList();
    }
  }

  StreamDescriptionSummary summary() {
    return kinesis.describeStreamSummary(request -> request.streamName(name))
        .streamDescriptionSummary();
  }

  StreamDescriptionSummary active() throws Exception {
    Check.until(name + " to be ACTIVE",
                () -> summary().streamStatus() == StreamStatus.ACTIVE);
    return summary();
  }

  List<Shard> shards() {
    return kinesis.listShards(request -> request.streamName(name)).shards();
  }

  List<Shard> openShards() {
    return kinesis
        .listShards(request
                    -> request.streamName(name).shardFilter(
                        filter -> filter.type(ShardFilterType.AT_LATEST)))
        .shards();
  }

  String iterator(String shard, ShardIteratorType type,
                  Consumer<GetShardIteratorRequest.Builder> more) {
    return kinesis
        .getShardIterator(request -> {
          request.streamName(name).shardId(shard).shardIteratorType(type);
          more.accept(request);
        })
        .shardIterator();
  }

  String iterator(String shard, ShardIteratorType type) {
    return iterator(shard, type, request -> {});
  }

  String iteratorAt(String shard, ShardIteratorType type, String number) {
    return iterator(shard, type,
                    request -> request.startingSequenceNumber(number));
  }

  /** Reads until there are `count` records, or to the shard's end. */
  Read read(String position, int count) throws Exception {
    List<Record> records = new ArrayList<>();
    GetRecordsResponse answer = null;
    long deadline = System.nanoTime() + 20_000_000_000L;
    while (position != null && records.size() < count) {
      String from = position;
      answer = kinesis.getRecords(request -> request.shardIterator(from));
      records.addAll(answer.records());
      position = answer.nextShardIterator();
      Check.that(!from.equals(position), "the iterator did not change");
      Check.that(System.nanoTime() < deadline,
                 records.size() + " of " + count + " records after 20 s");
      if (position != null && records.size() < count) Thread.sleep(50);
    }
    return new Read(records, answer);
  }

  PutRecordResponse put(String text, String key, String hashKey) {
    return put(SdkBytes.fromUtf8String(text), key, hashKey);
  }

  PutRecordResponse put(SdkBytes data, String key, String hashKey) {
    return kinesis.putRecord(request
                             -> request.streamName(name)
                                    .data(data)
                                    .partitionKey(key)
                                    .explicitHashKey(hashKey));
  }

  String register(String consumer) throws Exception {
    String arn = summary().streamARN();
    var registered = kinesis
                         .registerStreamConsumer(
                             request -> request.streamARN(arn).consumerName(
                                 consumer))
                         .consumer();
    Check.equal(registered.consumerStatus(), ConsumerStatus.CREATING);
    Check.isNow(registered.consumerCreationTimestamp());
    Check.until("consumer " + consumer + " to be ACTIVE",
                ()
                    -> kinesis
                           .describeStreamConsumer(
                               request -> request.consumerARN(
                                   registered.consumerARN()))
                           .consumerDescription()
                           .consumerStatus()
                    == ConsumerStatus.ACTIVE);
    return registered.consumerARN();
  }
}
