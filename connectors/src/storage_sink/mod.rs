//! A sink task over any storage: when to cut, what is durable, what is uploading.
