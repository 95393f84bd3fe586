// Programmer carries out the operations of Program requests: those of calls as many together as
// follow each other, so that the workers are waited for once.
#pragma once

#include <functional>
#include <vector>

#include "culvert/dataplane/v1/dataplane.pb.h"
#include "dataplane/datapath.h"

namespace culvert::dataplane {

class Programmer {
 public:
  // `removed` is told of each call that is no more. Borrows the datapath.
  Programmer(Datapath* datapath, std::function<void(uint64_t handle)> removed)
      : datapath_(datapath), removed_(std::move(removed)) {}

  // Run adds a result for each operation to `response`, in order, and wipes the request's keys.
  void Run(v1::ProgramRequest* request, v1::ProgramResponse* response);

 private:
  void Take(v1::Operation* operation, v1::Result* result);
  void TakeUpsert(v1::CallConfig* config, v1::Result* result);
  // Apply has the datapath carry out what was taken.
  void Apply();

  Datapath* datapath_;
  std::function<void(uint64_t handle)> removed_;
  std::vector<CallOperation> taken_;
  std::vector<v1::Result*> results_;  // of taken_
};

}  // namespace culvert::dataplane
