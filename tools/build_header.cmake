# Writes fb_build.h with the version and the commit; touches it only when they changed.
# cmake -DSOURCE=folder -DOUT=file -DVERSION=x.y.z -DUDUNITS=x.y.z -P build_header.cmake
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
    set(commit "no commit")
endif()
if(NOT UDUNITS)
    set(UDUNITS "of unknown version")
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT [[/* Made by tools/build_header.cmake. */
#define FB_VERSION "@VERSION@"
#define FB_COMMIT "@commit@"
#define FB_UDUNITS "@UDUNITS@"
]] @ONLY)
