//! The registration list: one line a plugin.

use connect_api::Plugins;

use crate::{converter::*, format::*, partitioner::*, predicate::*, sink::*, transform::*};

/// Every plugin of this crate.
pub fn plugins() -> Plugins {
    let plugins = Plugins::default()
        .sink_connector::<S3SinkConnector>()
        .converter::<StringConverter>()
        .converter::<JsonConverter>()
        .converter::<AvroConverter>()
        .converter::<AwsKafkaAvroConverter>()
        .converter::<JsonSchemaConverter>()
        .converter::<AwsKafkaJsonSchemaConverter>()
        .converter::<ByteArrayConverter>()
        .converter::<ShortConverter>()
        .converter::<IntegerConverter>()
        .converter::<LongConverter>()
        .converter::<FloatConverter>()
        .converter::<DoubleConverter>()
        .converter::<BooleanConverter>()
        .header_converter::<SimpleHeaderConverter>()
        .header_converter::<StringConverter>()
        .header_converter::<JsonConverter>()
        .header_converter::<ByteArrayConverter>()
        .header_converter::<ShortConverter>()
        .header_converter::<IntegerConverter>()
        .header_converter::<LongConverter>()
        .header_converter::<FloatConverter>()
        .header_converter::<DoubleConverter>()
        .header_converter::<BooleanConverter>()
        .key_and_value::<Cast>()
        .transformation::<DropHeaders>()
        .key_and_value::<ExtractField>()
        .transformation::<Filter>()
        .key_and_value::<Flatten>()
        .key_and_value::<HeaderFrom>()
        .key_and_value::<HoistField>()
        .key_and_value::<InsertField>()
        .transformation::<InsertHeader>()
        .key_and_value::<MaskField>()
        .transformation::<RegexRouter>()
        .key_and_value::<ReplaceField>()
        .key_and_value::<SetSchemaMetadata>()
        .key_and_value::<TimestampConverter>()
        .transformation::<TimestampRouter>()
        .transformation::<ValueToKey>()
        .key_and_value::<confluent::Drop>()
        .key_and_value::<confluent::ExtractTopic>()
        .transformation::<confluent::ExtractTopicOfHeader>()
        .key_and_value::<confluent::Filter>()
        .key_and_value::<confluent::GzipDecompress>()
        .transformation::<confluent::MessageTimestampRouter>()
        .transformation::<confluent::TombstoneHandler>()
        .predicate::<HasHeaderKey>()
        .predicate::<RecordIsTombstone>()
        .predicate::<TopicNameMatches>()
        .partitioner::<DefaultPartitioner>()
        .partitioner::<TimeBasedPartitioner>()
        .partitioner::<HourlyPartitioner>()
        .partitioner::<DailyPartitioner>()
        .partitioner::<FieldPartitioner>()
        .partitioner::<FieldAndTimeBasedPartitioner>()
        .partitioner::<TemplatePartitioner>()
        .timestamp_extractor::<WallclockTimestampExtractor>()
        .timestamp_extractor::<RecordTimestampExtractor>()
        .timestamp_extractor::<RecordFieldTimestampExtractor>()
        .format::<JsonFormat>()
        .format::<AvroFormat>()
        .format::<ByteArrayFormat>();
    #[cfg(feature = "parquet")]
    let plugins = plugins.format::<ParquetFormat>();
    #[cfg(feature = "protobuf")]
    let plugins = plugins.converter::<ProtobufConverter>().converter::<AwsKafkaProtobufSchemaConverter>();
    plugins
}
