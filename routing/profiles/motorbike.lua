-- Roads a courier's motorbike may take in Vietnam, and how fast it goes there.
--
-- Stands on the car profile that osrm-bindings ships: LUA_PATH must name that folder (routing/graph.py sees to it). Only
-- what differs for a motorbike is said here: motorways are closed to it, lanes, tracks, dikes and paths are open.

-- Speeds in km/h by road class, as ridden, not as allowed, and what they are multiplied by: routing/graph.py writes both.
local settings = require('settings')
local speeds, factors = settings.speeds, settings.factors

-- What is no road of these classes, a ferry say, is not faster than this.
local fastest = 50

-- Closed unless the road itself says that motorbikes may use it.
local closed = { motorway = true, motorway_link = true }

api_version = 4
local car = require('car')

function setup()
  local profile = car.setup()

  -- Duration alone is minimised, so that tables hold fastest times and keep the triangle inequality.
  profile.properties.weight_name = 'duration'
  profile.properties.u_turn_penalty = 5
  -- A courier turns round at the door.
  profile.properties.continue_straight_at_waypoint = false
  profile.turn_penalty = 4
  profile.default_speed = 10
  profile.side_road_multiplier = 1.0
  profile.speed_reduction = 1.0

  profile.vehicle_height = 1.8
  profile.vehicle_width = 0.9
  profile.vehicle_length = 2.0
  profile.vehicle_weight = 250

  profile.speeds = Sequence { highway = speeds }
  profile.service_penalties = {}
  profile.barrier_penalties = { gate = 20, lift_gate = 10 }
  profile.avoid = Set { 'area', 'reversible', 'impassable', 'steps', 'construction', 'proposed' }

  profile.access_tags_hierarchy = Sequence { 'motorcycle', 'motor_vehicle', 'vehicle', 'access' }
  profile.restrictions = Sequence { 'motorcycle', 'motor_vehicle', 'vehicle' }
  profile.access_tag_whitelist = Set {
    'yes', 'motorcycle', 'motor_vehicle', 'vehicle', 'permissive', 'designated', 'official'
  }
  profile.access_tag_blacklist = Set {
    'no', 'private', 'agricultural', 'forestry', 'military', 'emergency', 'psv', 'bus', 'foot', 'restricted', 'permit'
  }
  -- A courier is a visitor: these doors are the destination.
  profile.restricted_access_tag_list = Set { 'delivery', 'destination', 'customers', 'residents' }
  for _, class in ipairs({ 'road', 'track', 'path' }) do
    profile.restricted_highway_whitelist[class] = true
  end
  -- A motorbike passes where a car does not.
  for _, barrier in ipairs({ 'bollard', 'kerb', 'cycle_barrier', 'chicane', 'bump_gate' }) do
    profile.barrier_whitelist[barrier] = true
  end
  return profile
end

local function says_yes(way)
  local tag = way:get_value_by_key('motorcycle')
  return tag == 'yes' or tag == 'designated'
end

-- The car's handlers ride at the posted limit where there is one; a courier keeps to the speed of the road class.
local function slow_down(result, speed, factor)
  result.forward_speed = math.min(result.forward_speed, speed) * factor
  result.backward_speed = math.min(result.backward_speed, speed) * factor
end

function process_way(profile, way, result, relations)
  local highway = way:get_value_by_key('highway')
  if (closed[highway] or way:get_value_by_key('motorroad') == 'yes') and not says_yes(way) then
    return
  end
  car.process_way(profile, way, result, relations)
  slow_down(result, speeds[highway] or fastest, factors[highway] or 1)
end

return {
  setup = setup,
  process_way = process_way,
  process_node = car.process_node,
  process_turn = car.process_turn
}
