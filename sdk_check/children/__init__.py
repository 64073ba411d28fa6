"""What runs in the environments of the SDKs, with another and older Python than the project: nothing newer than 3.11."""
