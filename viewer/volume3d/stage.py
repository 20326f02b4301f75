"""VTK: the scene and its pictures. Imported by the rendering process alone, see `process`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np

# OpenGL's implementations register themselves on import.
import vtkmodules.vtkRenderingOpenGL2
import vtkmodules.vtkRenderingVolumeOpenGL2  # noqa: F401
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkCommand, vtkLogger, vtkMultiThreader, vtkObject, vtkSMPTools
from vtkmodules.vtkCommonDataModel import (
    vtkImageData,
    vtkPiecewiseFunction,
    vtkPlane,
    vtkPlaneCollection,
)
from vtkmodules.vtkRenderingCore import (
    vtkActor,
    vtkCellPicker,
    vtkColorTransferFunction,
    vtkPolyDataMapper,
    vtkRenderer,
    vtkRenderWindow,
    vtkVolume,
    vtkVolumeProperty,
    vtkWindowToImageFilter,
)
from vtkmodules.vtkRenderingVolume import (
    vtkFixedPointVolumeRayCastMapper,
    vtkGPUVolumeRayCastMapper,
)

from viewer.volume3d.grid import Prepared
from viewer.volume3d.presets import Preset
from viewer.volume3d.surfacing import image_of, surface
from viewer.volume3d.wire import Box, Look, Shell

__all__ = ["NoOpenGLError", "Stage"]

_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "software", "gdi generic", "basic render")
"""In the names of OpenGL renderers that are no graphics card."""

_MOVING_SECONDS = 0.08
"""A picture of something that moves is made so small that it takes no longer."""
_SMALLEST_SHARE = 0.12
"""Of the pane's width and height, at least, while something moves."""
_RESTING_STEP, _MOVING_STEP = 0.7, 1.0
"""Distance of samples along a ray, in voxels."""
_PEELS = 6


_Mapper = vtkGPUVolumeRayCastMapper | vtkFixedPointVolumeRayCastMapper


class NoOpenGLError(RuntimeError):
    """No picture can be made on this machine."""


class Stage:
    """One volume, its surfaces and a camera.

    Parameters
    ----------
    may_use_gpu
        False: the processor casts the rays even where there is a graphics card.
    interrupted
        Asked while a picture is made: True gives it up.

    Raises
    ------
    NoOpenGLError
        When no OpenGL context can be had.
    """

    def __init__(self, may_use_gpu: bool, interrupted: Callable[[], bool]) -> None:
        vtkObject.GlobalWarningDisplayOff()
        vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
        # One core is left to the window, whose slices come first.
        threads = max(1, (os.cpu_count() or 2) - 1)
        vtkMultiThreader.SetGlobalMaximumNumberOfThreads(threads)
        vtkSMPTools.Initialize(threads)
        self._interrupted = interrupted
        self._may_give_up = False
        self._given_up = False
        self._window = vtkRenderWindow()
        self._window.SetShowWindow(False)
        self._window.SetOffScreenRendering(1)
        self._window.SetMultiSamples(0)
        self._window.SetAlphaBitPlanes(1)
        self._window.AddObserver(vtkCommand.AbortCheckEvent, self._check)
        self._renderer = vtkRenderer()
        self._renderer.SetBackground(0.0, 0.0, 0.0)
        self._renderer.SetUseDepthPeeling(1)
        self._renderer.SetMaximumNumberOfPeels(_PEELS)
        self._renderer.SetOcclusionRatio(0.0)
        self._window.AddRenderer(self._renderer)
        self._window.SetSize(64, 64)
        if not self._window.SupportsOpenGL():
            raise NoOpenGLError
        self._window.Render()
        self.renderer = self._name()
        # A card without a name is taken for none: slow, but it works.
        hard = bool(self.renderer) and not any(s in self.renderer.lower() for s in _SOFTWARE)
        self.gpu = may_use_gpu and hard
        self._prepared: Prepared | None = None
        self._images: dict[bool, vtkImageData] = {}
        self._volume: vtkVolume | None = None
        self._mapper: _Mapper | None = None
        self._preset: Preset | None = None
        self._actors: dict[str, vtkActor] = {}
        self._seconds_per_pixel = 1e-6
        self._fresh = True

    def set_volume(self, prepared: Prepared | None) -> None:
        """Draw another volume; the one before is let go."""
        if self._volume is not None:
            self._renderer.RemoveVolume(self._volume)
            self._volume.ReleaseGraphicsResources(self._window)
        self._volume = self._mapper = self._preset = None
        self._images.clear()
        self._fresh = True
        self._prepared = prepared
        if prepared is not None:
            self._mapper = (
                vtkGPUVolumeRayCastMapper() if self.gpu else vtkFixedPointVolumeRayCastMapper()
            )
            self._mapper.SetAutoAdjustSampleDistances(0)
            self._volume = vtkVolume()
            self._volume.SetMapper(self._mapper)

    def set_surfaces(self, shells: tuple[Shell, ...]) -> None:
        """Make the surfaces of these masks, and draw no others."""
        for actor in self._actors.values():
            self._renderer.RemoveActor(actor)
            actor.ReleaseGraphicsResources(self._window)
        self._actors.clear()
        for shell in shells:
            mapper = vtkPolyDataMapper()
            mapper.SetInputData(surface(shell))
            mapper.ScalarVisibilityOff()
            actor = vtkActor()
            actor.SetMapper(mapper)
            shine = actor.GetProperty()
            shine.SetAmbient(0.15)
            shine.SetDiffuse(0.85)
            shine.SetSpecular(0.15)
            shine.SetSpecularPower(20.0)
            actor.VisibilityOff()
            self._renderer.AddActor(actor)
            self._actors[shell.name] = actor

    def render(self, look: Look) -> tuple[NDArray[np.uint8], float] | None:
        """Make a picture.

        Returns
        -------
        (numpy.ndarray, float) or None
            Shape (height, width, 3), uint8, top row first, and the seconds it took; None when it
            was given up.
        """
        self._apply(look)
        width, height = self._size(look)
        self._window.SetSize(width, height)
        self._given_up = False
        self._may_give_up = look.resting
        began = time.perf_counter()
        self._window.Render()
        seconds = time.perf_counter() - began
        self._may_give_up = False
        if self._given_up:
            return None
        # A first picture prepares gradients and tables, too.
        fresh, self._fresh = self._fresh, False
        if not (look.resting or fresh):
            per_pixel = seconds / (width * height)
            self._seconds_per_pixel += 0.5 * (per_pixel - self._seconds_per_pixel)
        return self._pixels(), seconds

    def pick(self, look: Look, x: float, y: float) -> tuple[float, float, float] | None:
        """LPS mm of what is seen at a share of width and height from the top left."""
        self._apply(look)
        width, height = look.size
        self._window.SetSize(width, height)
        picker = vtkCellPicker()
        picker.SetTolerance(0.001)
        picker.SetVolumeOpacityIsovalue(0.02)
        if not picker.Pick(x * width, (1.0 - y) * height, 0.0, self._renderer):
            return None
        a, b, c = picker.GetPickPosition()
        return float(a), float(b), float(c)

    # -- the scene ---------------------------------------------------------------------------

    def _apply(self, look: Look) -> None:
        for name, actor in self._actors.items():
            style = look.styles.get(name)
            actor.SetVisibility(style is not None)
            if style is not None:
                actor.GetProperty().SetColor(*style.colour)
                actor.GetProperty().SetOpacity(style.opacity)
        self._apply_preset(look)
        if self._prepared is not None:
            self._apply_camera(look, self._prepared)

    def _apply_preset(self, look: Look) -> None:
        volume, mapper, prepared = self._volume, self._mapper, self._prepared
        if volume is None or mapper is None or prepared is None:
            return
        if look.preset is None:
            self._renderer.RemoveVolume(volume)
            return
        if look.preset != self._preset:
            self._preset = look.preset
            self._fresh = True
            mapper.SetInputData(self._image(prepared, look.preset.inside))
            volume.SetProperty(_property(look.preset))
        step = prepared.mm * (_RESTING_STEP if look.resting else _MOVING_STEP)
        mapper.SetSampleDistance(step)
        mapper.SetImageSampleDistance(1.0)
        mapper.RemoveAllClippingPlanes()
        if look.box is not None:
            mapper.SetClippingPlanes(_planes(look.box))
        if not self._renderer.HasViewProp(volume):
            self._renderer.AddVolume(volume)

    def _image(self, prepared: Prepared, inside: bool) -> vtkImageData:
        if inside not in self._images:
            array = prepared.inside() if inside else prepared.array
            self._images[inside] = image_of(array, prepared.origin, prepared.mm)
        return self._images[inside]

    def _apply_camera(self, look: Look, prepared: Prepared) -> None:
        bounds = prepared.bounds
        focus = look.camera.focus(bounds)
        _, up, to_viewer = look.camera.axes()
        far = float(np.linalg.norm(bounds[1] - bounds[0])) + 1.0
        camera = self._renderer.GetActiveCamera()
        camera.ParallelProjectionOn()
        camera.SetFocalPoint(*focus)
        camera.SetPosition(*(focus + to_viewer * far))
        camera.SetViewUp(*up)
        camera.SetParallelScale(look.camera.half_height(bounds, *look.size))
        self._renderer.ResetCameraClippingRange()

    # -- pixels ------------------------------------------------------------------------------

    def _size(self, look: Look) -> tuple[int, int]:
        width, height = look.size
        if look.resting:
            return width, height
        share = (_MOVING_SECONDS / self._seconds_per_pixel / (width * height)) ** 0.5
        share = min(1.0, max(_SMALLEST_SHARE, share))
        return max(32, round(width * share)), max(32, round(height * share))

    def _pixels(self) -> NDArray[np.uint8]:
        reader = vtkWindowToImageFilter()
        reader.SetInput(self._window)
        reader.ReadFrontBufferOff()
        reader.ShouldRerenderOff()
        reader.SetInputBufferTypeToRGB()
        reader.Update()
        image = reader.GetOutput()
        width, height, _ = image.GetDimensions()
        flat = vtk_to_numpy(image.GetPointData().GetScalars())
        return np.ascontiguousarray(flat.reshape(height, width, 3)[::-1])

    def _check(self, *_: object) -> None:
        if self._may_give_up and self._interrupted():
            self._given_up = True
            self._window.SetAbortRender(1)

    def _name(self) -> str:
        with suppress(AttributeError):
            for line in self._window.ReportCapabilities().splitlines():
                if line.lower().startswith("opengl renderer string"):
                    return line.partition(":")[2].strip()
        return ""


def _property(preset: Preset) -> vtkVolumeProperty:
    opacity = vtkPiecewiseFunction()
    for value, level in preset.opacity:
        opacity.AddPoint(value, level)
    colour = vtkColorTransferFunction()
    for value, rgb in preset.colour:
        colour.AddRGBPoint(value, *rgb)
    made = vtkVolumeProperty()
    made.SetScalarOpacity(opacity)
    made.SetColor(colour)
    made.SetInterpolationTypeToLinear()
    made.ShadeOn()
    made.SetAmbient(0.35)
    made.SetDiffuse(0.85)
    made.SetSpecular(0.15)
    made.SetSpecularPower(12.0)
    # Opacities are those of a millimetre, whatever the voxels are.
    made.SetScalarOpacityUnitDistance(1.0)
    return made


def _planes(box: Box) -> vtkPlaneCollection:
    planes = vtkPlaneCollection()
    for corner, sign in zip(box, (1.0, -1.0), strict=True):
        for axis in range(3):
            plane = vtkPlane()
            plane.SetOrigin(*corner)
            plane.SetNormal(*(sign if a == axis else 0.0 for a in range(3)))
            planes.AddItem(plane)
    return planes
