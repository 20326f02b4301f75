"""VTK: surfaces of masks. Imported by the rendering process alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPolyData
from vtkmodules.vtkCommonExecutionModel import vtkAlgorithm
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkCommonTransforms import vtkMatrixToLinearTransform
from vtkmodules.vtkFiltersCore import (
    vtkFlyingEdges3D,
    vtkPolyDataConnectivityFilter,
    vtkPolyDataNormals,
    vtkWindowedSincPolyDataFilter,
)
from vtkmodules.vtkFiltersGeneral import vtkTransformFilter

from viewer.volume3d.wire import Shell

__all__ = ["image_of", "surface"]

_SMOOTH_TIMES, _SMOOTH_BAND = 40, 0.008
"""Windowed sinc smoothing (Taubin, Zhang, Golub 1996): takes away the steps of voxels."""
_SHRUNK = 0.8
"""A piece of a surface that smoothing makes smaller than this share stays as it was."""


def surface(shell: Shell) -> vtkPolyData:
    """Make a mask's surface: flying edges (Schroeder et al. 2015), into LPS mm, smoothed."""
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image_of(shell.array, (0.0, 0.0, 0.0), 1.0))
    edges.SetValue(0, 127.5)
    edges.ComputeNormalsOff()
    edges.ComputeGradientsOff()
    edges.ComputeScalarsOff()
    matrix = vtkMatrix4x4()
    matrix.DeepCopy(tuple(float(value) for value in shell.affine.ravel()))
    affine = vtkMatrixToLinearTransform()
    affine.SetInput(matrix)
    placed = vtkTransformFilter()
    placed.SetTransform(affine)
    placed.SetInputConnection(edges.GetOutputPort())
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(placed.GetOutputPort())
    smooth.SetNumberOfIterations(_SMOOTH_TIMES)
    smooth.SetPassBand(_SMOOTH_BAND)
    smooth.NormalizeCoordinatesOn()
    normals = vtkPolyDataNormals()
    normals.SetInputData(_kept(placed, smooth))
    normals.SplittingOff()
    normals.ConsistencyOff()
    normals.Update()
    made: vtkPolyData = normals.GetOutput()
    return made


def _kept(rough: vtkAlgorithm, smooth: vtkAlgorithm) -> vtkPolyData:
    """A smoothed surface, but for pieces that would shrink: those stay rough.

    Smoothing draws a lesion of a voxel or two together to a point, and it would be gone.
    """
    pieces = vtkPolyDataConnectivityFilter()
    pieces.SetInputConnection(rough.GetOutputPort())
    pieces.SetExtractionModeToAllRegions()
    pieces.ColorRegionsOn()
    pieces.Update()
    smooth.Update()
    found: vtkPolyData = smooth.GetOutputDataObject(0)
    labels = vtk_to_numpy(pieces.GetOutput().GetPointData().GetArray("RegionId"))
    before = vtk_to_numpy(pieces.GetOutput().GetPoints().GetData())
    after = vtk_to_numpy(found.GetPoints().GetData())
    sizes = [_sizes(points, labels) for points in (before, after)]
    shrunk = sizes[1] < _SHRUNK * sizes[0]
    # In place: VTK's own memory is written to.
    after[:] = np.where(shrunk[labels][:, None], before, after)
    found.GetPoints().Modified()
    return found


def _sizes(points: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Root mean square distance of each piece's points from their mean."""
    counts = np.bincount(labels)
    columns = points.astype(np.float64).T
    means = np.stack([np.bincount(labels, column) / counts for column in columns], -1)
    away = ((points - means[labels]) ** 2).sum(-1)
    return np.sqrt(np.bincount(labels, away) / counts)


def image_of(
    array: NDArray[np.generic], origin: tuple[float, float, float], mm: float
) -> vtkImageData:
    """Give VTK an array of shape (z, y, x), with its first voxel's centre and its spacing."""
    image = vtkImageData()
    slices, rows, columns = array.shape
    image.SetDimensions(columns, rows, slices)
    image.SetOrigin(*origin)
    image.SetSpacing(mm, mm, mm)
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(array).ravel()))
    return image
