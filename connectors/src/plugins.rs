//! The registration list: one line a plugin.

use connect_api::Plugins;

use crate::{converter::*, format::*, partitioner::*, sink::*};

/// Every plugin of this crate.
pub fn plugins() -> Plugins {
    let plugins = Plugins::default()
        .sink_connector::<S3SinkConnector>()
        .converter::<StringConverter>()
        .converter::<JsonConverter>()
        .converter::<AvroConverter>()
        .converter::<AwsKafkaAvroConverter>()
        .converter::<JsonSchemaConverter>()
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
    let plugins = plugins.converter::<ProtobufConverter>();
    plugins
}
