"""Pre- and post-processing in torch, for pictures that stay on the device of the networks.

The same steps as `inference.preprocess` (OpenCV) and the masks' arithmetic (NumPy), batched, with
the same results: 8-bit pictures are equal to OpenCV's in every bit, since figures and weights were
made with those. Only element-wise arithmetic, look-ups and integer counts are used: no product of
matrices, whose order of summing, and precision (TF32), differ from device to device. Whatever
OpenCV rounds on the way is rounded here, too.
"""
