"""A picture sampled out of a volume along any three directions, by VTK.

Imported when the first oblique plane is cut: the window starts without VTK.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.util.vtkConstants import VTK_FLOAT
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkImagingCore import vtkImageReslice

from viewer.panes import SlabMode

__all__ = ["sample"]

_MERGE = {
    SlabMode.MAXIMUM: vtkImageReslice.SetSlabModeToMax,
    SlabMode.MINIMUM: vtkImageReslice.SetSlabModeToMin,
    SlabMode.MEAN: vtkImageReslice.SetSlabModeToMean,
}


def sample(
    array: NDArray[Any],
    matrix: NDArray[np.float64],
    size: tuple[int, int],
    planes: int = 1,
    mode: SlabMode = SlabMode.THIN,
) -> NDArray[Any]:
    """Sample a plane, or several that become one picture.

    Parameters
    ----------
    array
        Shape (slices, rows, columns). A bool array is sampled at the nearest voxel, and set where
        any plane is; every other linearly between voxels.
    matrix
        Shape (4, 4): (picture column, picture row, plane, 1) -> (column, row, slice, 1) of the
        array; pixel and voxel centres lie at whole numbers, the planes around 0.
    size
        Columns and rows of the picture.
    planes
        How many; they lie one apart, with plane 0 in the middle.
    mode
        How several become one. Only samples inside the array count.

    Returns
    -------
    ndarray
        Shape (rows, columns); float32 for a mean, else of the array's type. What it says where no
        sample lies inside the array means nothing.
    """
    is_mask = array.dtype == np.bool_
    source = np.ascontiguousarray(array).view(np.uint8) if is_mask else np.ascontiguousarray(array)
    slices, rows, columns = source.shape
    image = vtkImageData()
    image.SetDimensions(columns, rows, slices)
    image.GetPointData().SetScalars(numpy_to_vtk(source.reshape(-1), deep=False))
    axes = vtkMatrix4x4()
    axes.DeepCopy(matrix.ravel().tolist())
    reslice = vtkImageReslice()
    reslice.SetInputData(image)
    reslice.SetResliceAxes(axes)
    reslice.SetOutputDimensionality(2)
    reslice.SetOutputSpacing(1.0, 1.0, 1.0)
    reslice.SetOutputOrigin(0.0, 0.0, 0.0)
    reslice.SetOutputExtent(0, size[0] - 1, 0, size[1] - 1, 0, 0)
    if is_mask:
        reslice.SetInterpolationModeToNearestNeighbor()
    else:
        reslice.SetInterpolationModeToLinear()
    if planes > 1:
        reslice.SetSlabNumberOfSlices(planes)
        _MERGE[SlabMode.MAXIMUM if is_mask else mode](reslice)
        if mode is SlabMode.MEAN and not is_mask:
            reslice.SetOutputScalarType(VTK_FLOAT)
    reslice.Update()
    scalars = reslice.GetOutput().GetPointData().GetScalars()
    picture: NDArray[Any] = vtk_to_numpy(scalars).reshape(size[1], size[0])
    return picture.view(np.bool_) if is_mask else picture
