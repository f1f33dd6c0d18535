// A libcuda.so.1 and libnvidia-ml.so.1 that report one GPU of compute capability 9.0 and can't compute.
#include <stdio.h>
#include <string.h>

enum { SUCCESS = 0, MEMORY = 1 << 30 };

int cuInit(unsigned flags) { return SUCCESS; }
int cuDriverGetVersion(int *version) { return *version = 12090, SUCCESS; }
int cuDeviceGetCount(int *count) { return *count = 1, SUCCESS; }
int cuDeviceGet(int *device, int ordinal) { return *device = ordinal, SUCCESS; }
int cuDeviceGetName(char *name, int length, int device) { return snprintf(name, length, "Made-up GPU"), SUCCESS; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { return *bytes = MEMORY, SUCCESS; }
int cuDeviceGetPCIBusId(char *id, int length, int device) { return snprintf(id, length, "0000:01:00.0"), SUCCESS; }
int cuDeviceGetUuid_v2(void *uuid, int device) { return memset(uuid, 1, 16), SUCCESS; }
int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) { return *flags = 0, *active = 0, SUCCESS; }
int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) { return SUCCESS; }
int cuDevicePrimaryCtxRetain(void **context, int device) { return *context = &cuInit, SUCCESS; }
int cuCtxGetCurrent(void **context) { return *context = &cuInit, SUCCESS; }
int cuCtxSetCurrent(void *context) { return SUCCESS; }

// The numbers of CUdevice_attribute in cuda.h that are named here; all others get a plausible value.
int cuDeviceGetAttribute(int *value, int attribute, int device) {
	enum { MULTIPROCESSORS = 16, CAPABILITY_MAJOR = 75, CAPABILITY_MINOR = 76 };
	*value = attribute == CAPABILITY_MAJOR ? 9 : attribute == CAPABILITY_MINOR ? 0 : attribute == MULTIPROCESSORS ? 132 : 1024;
	return SUCCESS;
}

int nvmlInit_v2(void) { return SUCCESS; }
