//! The findings of a review, as short stories.
