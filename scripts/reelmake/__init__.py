"""The library behind reelmake's rules: one concept a module.

Data flows one way: config -> fingerprint -> rule -> script -> library -> artifact.
Engines (PyAV, ffmpeg, PySceneDetect, OpenCV, faster-whisper, llama.cpp) are each
imported in one module only, and only when a job needs them: finding out that
there is nothing to do imports none of them.
"""
